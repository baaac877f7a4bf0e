"""One command a module: parse, call, print. Every import of weight lives inside its command."""

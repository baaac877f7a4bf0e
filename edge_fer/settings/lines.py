"""TOML with line numbers: which line of a file a key stands in, and where a wrong one begins.

The parser says neither the key of a duplicate nor the line of a value, so the text is read as ever
longer beginnings: the first that can be parsed again after a key has come holds that key.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Path = tuple[str | int, ...]
"""Keys and places in arrays, from the top of the document."""

HEAD = re.compile(r"\s*(?:\[\[?\s*)?([^=\[\]#\s][^=\]#]*)")
"""What a statement sets: all before its `=`, or the name of a table."""


def parse(text: str) -> dict[str, Any]:
    """The document; raises ValueError for what is no TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def places(text: str) -> dict[Path, int]:
    """Each key of a valid document to the line, from 1, in which its statement begins."""
    found: dict[Path, int] = {}
    for begin, _, document in _beginnings(text):
        for path in _paths(document):
            found.setdefault(path, begin)
    return found


def fault(text: str) -> tuple[int, str]:
    """The line in which the statement that cannot be parsed begins, and the key that it sets."""
    good = 0
    for _, end, _ in _beginnings(text):
        good = end
    lines = text.split("\n")
    while good < len(lines) - 1 and not lines[good].strip():
        good += 1
    head = HEAD.match(lines[good])
    return good + 1, head[1].strip()[:40] if head else lines[good].strip()[:40]


def _beginnings(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """First and last line of every statement, and the document up to it."""
    lines = text.split("\n")
    good = 0
    for end in range(1, len(lines) + 1):
        try:
            document = parse("\n".join(lines[:end]) + "\n")
        except ValueError:
            continue
        yield good + 1, end, document
        good = end


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    inner = dict(enumerate(value)) if isinstance(value, list) else value
    for key, part in inner.items() if isinstance(inner, dict) else ():
        yield from _paths(part, (*path, key))

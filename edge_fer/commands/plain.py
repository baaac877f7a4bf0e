"""A command with subcommands that also works without the name of one."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class PlainByDefault(TyperGroup):
    """`edge-fer bench [BUNDLE...]`, unless the first word is a subcommand.

    The plain command is the hidden one. A folder that has the name of a subcommand is written
    `./compare`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the plain command before whatever is not a subcommand."""
        plain = next(name for name, command in self.commands.items() if command.hidden)
        named = bool(args) and args[0] in self.commands and args[0] != plain
        parsed: list[str] = super().parse_args(ctx, args if named else [plain, *args])
        return parsed


class Unnamed(TyperCommand):
    """The plain command: its usage is that of the group."""

    def make_context(self, info_name: Any, *args: Any, **extra: Any) -> Any:
        """A context without a name of its own."""
        return super().make_context("", *args, **extra)

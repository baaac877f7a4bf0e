"""How long steps tell that they advance: a function, and a bar that is one."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Protocol


class Progress(Protocol):
    """Told what is done and how far; `note` is a few words about the present state."""

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps of `what`."""


def silent(what: str, done: int, total: int, note: str = "") -> None:
    """A Progress for programs."""


class Bars:
    """A Progress for people: one bar for each `what`, on stderr.

    Where stderr is no terminal, a line when something starts and one when it is done.
    """

    def __init__(self) -> None:
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Bars:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.description:<28}"),
                BarColumn(30),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
            )
            self._bars = Progress(*columns, console=Console(stderr=True))
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """Move the bar of `what`."""
        if self._bars is None:
            if what not in self._tasks or done == total or note:
                print(f"{what}: {done}/{total} {note}".rstrip(), file=sys.stderr, flush=True)
            self._tasks[what] = done
            return
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total, note=note)
        self._bars.update(self._tasks[what], completed=done, total=total, note=note)

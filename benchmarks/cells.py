"""Tables of plain text: what Markdown and the page both show."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.words import NOT_MEASURED


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table."""

    text: str
    detail: str = ""
    """Said more quietly: an interval, a reason."""
    tone: str = ""
    """`good`, `bad`, `unsure`, `none` (not measured) or plain."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a header; the first column names the row."""

    title: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


MISSING = Cell(NOT_MEASURED, tone="none")

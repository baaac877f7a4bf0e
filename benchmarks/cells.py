"""Tables of plain text: what Markdown and the page both show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.records import BASELINE, Result
from benchmarks.words import NOT_MEASURED
from edge_fer.statistics import Interval


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
NONE = Cell("")


def named(result: Result, more: str = "") -> Cell:
    """The first column: a subject's name, and what it is."""
    model = result.model
    if result.role == BASELINE:
        detail = "baseline"
    else:
        detail = f"{model.format} {model.precision_executed}" if model else "failed"
    return Cell(result.name, f"{detail}, {more}" if more else detail)


def interval(
    found: Interval | None, say: Callable[[float], str], bounds: Callable[[Interval], str]
) -> Cell:
    """A figure above its interval."""
    return MISSING if found is None else Cell(say(found.value), bounds(found))


def maybe(value: float | None, say: Callable[[float], str]) -> Cell:
    """A figure, or that it was not measured."""
    return MISSING if value is None else Cell(say(value))

"""The rows that are measured, each with what the fault table asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """What came out of one row."""

    measured: str
    passed: bool


@dataclass(frozen=True)
class Row:
    """One measurement; the function gets an empty folder."""

    name: str
    asked: str
    minutes: float
    """About so long it takes."""
    measure: Callable[[Path], Figure]


@dataclass(frozen=True)
class Result:
    """A row that was measured."""

    row: str
    asked: str
    measured: str
    passed: bool
    seconds: float


ROWS: list[Row] = []


def row(
    name: str, asked: str, minutes: float = 0.2
) -> Callable[[Callable[[Path], Figure]], Callable[[Path], Figure]]:
    """Enter a function into the table."""

    def enter(measure: Callable[[Path], Figure]) -> Callable[[Path], Figure]:
        ROWS.append(Row(name, asked, minutes, measure))
        return measure

    return enter


def measured(one: Row, folder: Path) -> Result:
    """Run one row; what it raises is a failure with its reason."""
    began = time.monotonic()
    try:
        figure = one.measure(folder)
    except Exception as error:
        figure = Figure(f"{type(error).__name__}: {error}", False)
    seconds = round(time.monotonic() - began, 1)
    return Result(one.name, one.asked, figure.measured, figure.passed, seconds)


def markdown(results: list[Result]) -> Iterator[str]:
    """The table of the report."""
    yield "| row | asked | measured | met |"
    yield "|---|---|---|---|"
    for one in results:
        fields = asdict(one)
        yield (
            "| {row} | {asked} | {measured} | ".format(**fields)
            + f"{'yes' if one.passed else '**no**'} |"
        )

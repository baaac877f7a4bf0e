"""The rows that are measured, each with what the fault table asks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from textwrap import wrap

from benchmarks.machine import condition, facts


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
    load: float
    """Of the machine, before the row: runnable processes over a minute."""


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
    began, load = time.monotonic(), os.getloadavg()[0]
    try:
        figure = one.measure(folder)
    except Exception as error:
        figure = Figure(f"{type(error).__name__}: {error}", False)
    seconds = round(time.monotonic() - began, 1)
    return Result(one.name, one.asked, figure.measured, figure.passed, seconds, load)


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


def page(results: list[Result]) -> Iterator[str]:
    """The table with what is needed to read it: when, where, how busy the machine was."""
    known, now = facts(), condition()
    met = sum(one.passed for one in results)
    load = max(one.load for one in results)
    yield "# Measured rows of the fault table"
    yield ""
    yield from wrap(
        f"Written by `python tests/faults` on {date.today()}: {met} of {len(results)} met. "
        f"{known['cores_allowed']} cores of {known['cpu']}, {known['system']}, Linux "
        f"{known['kernel']}, Python {known['python']}. Load of the machine before a row: at most "
        f"{load:.1f}, at the end {now['load']:.1f}.",
        100,
    )
    yield ""
    yield from markdown(results)

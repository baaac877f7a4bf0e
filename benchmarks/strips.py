"""Rows of dots or bars: change by expression, accuracy under faults, energy."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.axes import linear_scale, linear_ticks
from benchmarks.records import Result
from benchmarks.svg import SERIES, Scale, svg, text
from benchmarks.words import number, percent, points
from edge_fer.emotions import LABELS
from edge_fer.statistics import Interval

WIDTH, LEFT, RIGHT, TOP = 430, 88, 418, 8
GAP, STEP = 12, 9
"""Pixels between two groups of rows, and between two rows."""

Row = tuple[int, str, Interval]
"""Colour, what is said of it, and the figure."""


def change(results: Sequence[Result]) -> str | None:
    """Recall of every expression minus that of the baseline; None where nothing is paired."""
    groups = []
    for name in LABELS:
        rows = [
            (i % SERIES, f"{r.name}: {points(r.versus.per_class[name].value)}",
             r.versus.per_class[name])
            for i, r in enumerate(results)
            if r.versus and name in r.versus.per_class
        ]  # fmt: skip
        if rows:
            groups.append((name, rows))
    if not groups:
        return None
    return _strips(groups, "recall minus that of the baseline, in points", zero=True)


def faults(results: Sequence[Result]) -> str | None:
    """Accuracy on clean faces and under every fault; None where no fault was measured."""
    names = list(dict.fromkeys(c.fault for r in results for c in r.corruptions))
    if not names:
        return None
    groups: list[tuple[str, list[Row]]] = [("clean", [])]
    groups += [(name, []) for name in names]
    for i, result in enumerate(results):
        if result.accuracy:
            clean = Interval(result.accuracy["accuracy"], *result.accuracy["accuracy_95"])
            groups[0][1].append((i % SERIES, f"{result.name}: {percent(clean.value)}", clean))
        for one in result.corruptions:
            row = (i % SERIES, f"{result.name}: {percent(one.accuracy.value)}", one.accuracy)
            groups[1 + names.index(one.fault)][1].append(row)
    return _strips(groups, "accuracy, in percent")


def energy(results: Sequence[Result]) -> str | None:
    """Millijoules a face as bars; None where nothing measured it."""
    known = [(i % SERIES, r.name, r.energy) for i, r in enumerate(results) if r.energy]
    if not known:
        return None
    most = max(found.joules_per_face for _, _, found in known)
    x = linear_scale(0, most, 0, WIDTH - 90)
    parts = []
    for row, (index, name, found) in enumerate(known):
        top = row * 44
        length = x(found.joules_per_face)
        told = f"{number(1000 * found.joules_per_face)} mJ"
        parts.append(text(0, top + 13, name, "start"))
        parts.append(
            f'<rect class="solid s{index}" x="0" y="{top + 19}" width="{length:.1f}" height="14" '
            f'rx="3"/><text class="value" x="{length + 6:.1f}" y="{top + 31}">{told}</text>'
        )
    return svg(parts, "Energy of one face, by model", (WIDTH, len(known) * 44))


def _strips(groups: Sequence[tuple[str, Sequence[Row]]], title: str, zero: bool = False) -> str:
    """Groups of dots with their intervals, one below the other."""
    x, ticks = _scale(groups, zero)
    heights = [GAP + STEP * max(len(rows), 2) for _, rows in groups]
    bottom = TOP + sum(heights)
    parts = [_grid(x, ticks, bottom, zero), text((LEFT + RIGHT) / 2, bottom + 36, title, "middle")]
    top = float(TOP)
    for (name, rows), height in zip(groups, heights, strict=True):
        parts.append(f'<path class="grid" d="M{LEFT} {top:.1f}H{RIGHT}"/>')
        parts.append(text(LEFT - 8, top + height / 2 + 4, name, "end"))
        first = top + (height - STEP * (len(rows) - 1)) / 2
        parts += [_dot(row, first + STEP * i, x) for i, row in enumerate(rows)]
        top += height
    return svg(parts, title, (WIDTH, bottom + 44))


def _scale(groups: Sequence[tuple[str, Sequence[Row]]], zero: bool) -> tuple[Scale, list[float]]:
    bounds = [b for _, rows in groups for _, _, i in rows for b in (i.low, i.high)]
    low, high = min(bounds), max(bounds)
    if zero:
        low, high = min(low, -0.01), max(high, 0.01)
    room = (high - low) * 0.06 or 0.01
    low, high = low - room, high + room
    return linear_scale(low, high, LEFT, RIGHT), linear_ticks(low, high)


def _grid(x: Scale, ticks: Sequence[float], bottom: float, zero: bool) -> str:
    parts = []
    for tick in ticks:
        heavy = "axis" if zero and abs(tick) < 1e-9 else "grid"
        parts.append(f'<path class="{heavy}" d="M{x(tick):.1f} {TOP}V{bottom:.1f}"/>')
        shown = f"{100 * tick:+.0f}" if zero and abs(tick) > 1e-9 else f"{100 * tick:.0f}"
        parts.append(text(x(tick), bottom + 17, shown, "middle"))
    return "".join(parts)


def _dot(row: Row, down: float, x: Scale) -> str:
    index, told, found = row
    return (
        f'<g><title>{escape(told)}</title><path class="bar s{index}" d="M{x(found.low):.1f} '
        f'{down:.1f}H{x(found.high):.1f}"/><circle class="dot s{index}" cx="{x(found.value):.1f}" '
        f'cy="{down:.1f}" r="4"/></g>'
    )

"""The page's plots as SVG: colours come from its style sheet, so they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from benchmarks.axes import (
    Rectangle,
    linear_scale,
    linear_ticks,
    log_scale,
    log_ticks,
    place_labels,
)
from benchmarks.report import Cost, Result
from benchmarks.words import number, percent
from edge_fer.emotions import LABELS
from edge_fer.statistics import Bin

WIDTH, HEIGHT = 430, 310
FRAME = Rectangle(48, 14, WIDTH - 12, HEIGHT - 44)
FONT = 12
LEVELS = (0, 25, 50, 75, 90, 99)
"""Percentiles with a line of their own."""
STEPS = 160
"""Points of a distribution's curve."""
SERIES = 8
"""Colours in the style sheet; the baseline has the first."""

LONGEST = 28
"""Characters of a label in a plot."""

Scale = Callable[[float], float]
Timed = tuple[int, Result, Cost]


def distribution(results: Sequence[Result]) -> str:
    """Cumulative distribution of every subject's latency over a logarithmic axis."""
    timed = _timed(results)
    low = min(cost.least_ms for _, _, cost in timed) / 1.15
    high = max(cost.most_ms for _, _, cost in timed) * 1.15
    x = log_scale(low, high, FRAME.left, FRAME.right)
    y = linear_scale(0, 100, FRAME.bottom, FRAME.top)
    rows = [(y(level), f"{level} %") for level in LEVELS]
    curves = [_curve(index, cost, x, y) for index, _, cost in timed]
    parts = [_axes(_columns(low, high, x), rows, "milliseconds for one face"), *curves]
    return _svg(parts, "Share of inferences that took at most so long, by model")


def _curve(index: int, cost: Cost, x: Scale, y: Scale) -> str:
    times = np.sort([t for row in cost.rounds_ms for t in row])
    shares = np.linspace(0, 1, min(STEPS, times.size))
    steps = np.quantile(times, shares, method="inverted_cdf")
    points = " ".join(f"{x(t):.1f},{y(100 * s):.1f}" for t, s in zip(steps, shares, strict=True))
    median = f'<circle class="dot s{index}" cx="{x(cost.p50_ms):.1f}" cy="{y(50):.1f}" r="4"/>'
    return f'<polyline class="line s{index}" points="{points}"/>{median}'


def trade(results: Sequence[Result]) -> str:
    """Accuracy against median latency: up and to the left is better."""
    timed = [entry for entry in _timed(results) if entry[1].accuracy]
    bounds = [b for _, r, _ in timed for b in (r.accuracy or {})["accuracy_95"]]
    room = max(max(bounds) - min(bounds), 0.01) * 0.2
    bottom, top = min(bounds) - room, min(max(bounds) + room, 1.0)
    low = min(cost.p50_ms for _, _, cost in timed) / 1.6
    high = max(cost.p90_ms for _, _, cost in timed) * 1.6
    x = log_scale(low, high, FRAME.left, FRAME.right)
    y = linear_scale(bottom, top, FRAME.bottom, FRAME.top)
    ticks = linear_ticks(bottom, top)
    fine = len(ticks) > 1 and ticks[1] - ticks[0] < 0.0099
    rows = [(y(t), f"{100 * t:.1f}" if fine else f"{100 * t:.0f} %") for t in ticks]
    parts = [_axes(_columns(low, high, x), rows, "p50, milliseconds for one face")]
    parts += [_point(index, result, cost, x, y) for index, result, cost in timed]
    return _svg([*parts, _point_labels(timed, x, y)], "Accuracy against latency, by model")


def _point(index: int, result: Result, cost: Cost, x: Scale, y: Scale) -> str:
    """A dot with its Wilson interval, and a bar out to p90."""
    assert result.accuracy
    low, high = result.accuracy["accuracy_95"]
    across, up = x(cost.p50_ms), y(result.accuracy["accuracy"])
    return (
        f'<path class="bar s{index}" d="M{across:.1f} {y(low):.1f}V{y(high):.1f}'
        f'M{across:.1f} {up:.1f}H{x(cost.p90_ms):.1f}"/>'
        f'<circle class="dot s{index}" cx="{across:.1f}" cy="{up:.1f}" r="5"/>'
    )


def _point_labels(timed: Sequence[Timed], x: Scale, y: Scale) -> str:
    marks, texts = [], []
    for _, result, cost in timed:
        low, high = (result.accuracy or {})["accuracy_95"]
        across = x(cost.p50_ms)
        marks.append(Rectangle(across - 6, y(high), max(across + 6, x(cost.p90_ms)), y(low)))
        texts.append(_short(result.name))
    places = place_labels(marks, texts, FRAME, FONT)
    return "".join(
        f'<text class="name s{index}" x="{left:.1f}" y="{base:.1f}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
        for (index, _, _), (left, base, anchor), text in zip(timed, places, texts, strict=True)
    )


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def confusion(result: Result) -> str:
    """Rows the truth, columns the answer, each row in percent of its faces."""
    assert result.accuracy
    table = np.array(result.accuracy["confusion"], float)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side, left, top = 36, 62, 58
    parts = [
        _square(shares[i, j], table[i, j], left + side * j, top + side * i, side, (row, column))
        for i, row in enumerate(LABELS)
        for j, column in enumerate(LABELS)
    ]
    for i, label in enumerate(LABELS):
        middle = side * i + side / 2
        parts.append(_text(left - 8, top + middle + 4, label, "end"))
        corner = f"{left + middle:.0f} {top - 8}"
        parts.append(
            f'<text transform="translate({corner}) rotate(-40)" text-anchor="start">{label}</text>'
        )
    extent = (left + side * len(LABELS) + 22, top + side * len(LABELS) + 4)
    return _svg(parts, f"Confusion matrix of {result.name}", extent)


def reliability(bins: Sequence[Bin]) -> str:
    """Accuracy of each bin of confidence; on the line a model is as right as it is sure."""
    x = linear_scale(0, 1, FRAME.left, FRAME.right)
    y = linear_scale(0, 1, FRAME.bottom, FRAME.top)
    ticks = linear_ticks(0, 1)
    columns = [(x(t), f"{100 * t:.0f} %") for t in ticks]
    rows = [(y(t), f"{100 * t:.0f} %") for t in ticks]
    line = f'<path class="bar s0" d="M{x(0):.1f} {y(0):.1f}L{x(1):.1f} {y(1):.1f}"/>'
    bars = [_bin(b, x, y) for b in bins]
    parts = [_axes(columns, rows, "best probability"), *bars, line]
    return _svg(parts, "Accuracy against the best probability")


def _bin(found: Bin, x: Scale, y: Scale) -> str:
    """A bar as high as the bin's accuracy, and a dot at its mean confidence."""
    told = (
        f"{percent(found.low)} to {percent(found.high)} sure: {found.faces:,} faces, "
        f"{percent(found.accuracy)} right"
    )
    left, right, top = x(found.low) + 1, x(found.high) - 1, y(found.accuracy)
    return (
        f'<g><title>{told}</title><rect class="cell" x="{left:.1f}" y="{top:.1f}" '
        f'width="{right - left:.1f}" height="{FRAME.bottom - top:.1f}" fill-opacity="0.35"/>'
        f'<circle class="dot s1" cx="{x(found.confidence):.1f}" cy="{top:.1f}" r="4"/></g>'
    )


def _square(
    share: float, count: float, left: float, top: float, side: float, names: tuple[str, str]
) -> str:
    strong = " strong" if share > 0.5 else ""
    told = f"{names[0]} taken for {names[1]}: {count:.0f} faces, {percent(share)}"
    return (
        f'<g><title>{told}</title><rect class="cell" x="{left}" y="{top}" width="{side - 2}" '
        f'height="{side - 2}" rx="3" fill-opacity="{max(0.04, share):.3f}"/>'
        f'<text class="count{strong}" x="{left + side / 2 - 1:.0f}" y="{top + side / 2 + 3:.0f}" '
        f'text-anchor="middle">{round(100 * share)}</text></g>'
    )


def _timed(results: Sequence[Result]) -> list[Timed]:
    """Those with latency, each with its colour."""
    return [(i % SERIES, r, r.cost) for i, r in enumerate(results) if r.cost]


def _columns(low: float, high: float, x: Scale) -> list[tuple[float, str]]:
    """Ticks of a time axis that leave room for their numbers."""
    kept: list[tuple[float, str]] = []
    for tick in log_ticks(low, high):
        if not kept or x(tick) - kept[-1][0] > 30:
            kept.append(
                (x(tick), number(tick).rstrip("0").rstrip(".") if tick < 100 else number(tick))
            )
    return kept


def _axes(
    columns: Sequence[tuple[float, str]], rows: Sequence[tuple[float, str]], title: str
) -> str:
    parts = []
    for across, text in columns:
        parts.append(f'<path class="grid" d="M{across:.1f} {FRAME.top}V{FRAME.bottom}"/>')
        parts.append(_text(across, FRAME.bottom + 17, text, "middle"))
    for down, text in rows:
        parts.append(f'<path class="grid" d="M{FRAME.left} {down:.1f}H{FRAME.right}"/>')
        parts.append(_text(FRAME.left - 7, down + 4, text, "end"))
    middle = (FRAME.left + FRAME.right) / 2
    return "".join([*parts, _text(middle, HEIGHT - 8, title, "middle")])


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: Sequence[str], title: str, extent: tuple[float, float] = (WIDTH, HEIGHT)) -> str:
    width, height = (math.ceil(side) for side in extent)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )

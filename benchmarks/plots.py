"""Latency's distribution, and accuracy against latency with the front of the best."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from benchmarks.axes import Rectangle, linear_scale, linear_ticks, log_scale, place_labels
from benchmarks.records import Cost, Result
from benchmarks.svg import FONT, FRAME, SERIES, Scale, axes, svg, time_columns

LEVELS = (0, 25, 50, 75, 90, 99)
"""Percentiles with a line of their own."""
AIR = 6
"""Pixels more than its font that a number is given."""
LONGEST = 28
"""Characters of a label in a plot."""
MOST_NAMES = 5
"""Names beside the dots; of more of them the numbers, which the legend explains."""

Timed = tuple[int, Result, Cost]
"""Colour, subject and its cost."""


def distribution(results: Sequence[Result]) -> str:
    """Cumulative distribution of every subject's latency over a logarithmic axis."""
    timed = _timed(results)
    low = min(cost.least_ms for _, _, cost in timed) / 1.15
    # One request that the system interrupted must not press all curves into a corner.
    high = max(_last(cost) for _, _, cost in timed) * 1.15
    x = log_scale(low, high, FRAME.left, FRAME.right)
    y = linear_scale(0, 100, FRAME.bottom, FRAME.top)
    rows = [(y(level), f"{level} %") for level in LEVELS]
    curves = [_curve(index, cost, x, y) for index, _, cost in timed]
    parts = [axes(time_columns(low, high, x), rows, "milliseconds for one face"), *curves]
    return svg(parts, "Share of inferences that took at most so long, by model")


def _last(cost: Cost) -> float:
    """The 99.5th percentile: where a curve ends."""
    return cost.quantiles_ms[-2]


def _curve(index: int, cost: Cost, x: Scale, y: Scale) -> str:
    shares = np.linspace(0, 100, len(cost.quantiles_ms))[:-1]
    points = " ".join(
        f"{x(t):.1f},{y(s):.1f}" for t, s in zip(cost.quantiles_ms, shares, strict=False)
    )
    median = f'<circle class="dot s{index}" cx="{x(cost.p50_ms):.1f}" cy="{y(50):.1f}" r="4"/>'
    return f'<polyline class="line s{index}" points="{points}"/>{median}'


def front(results: Sequence[Result]) -> list[Result]:
    """Those timed here that no other one beats in both p50 and accuracy, fastest first."""
    here = [r for r in results if r.cost and r.accuracy and not elsewhere(r, results)]
    best: list[Result] = []
    for one in sorted(here, key=lambda r: (r.cost.p50_ms, -r.accuracy["accuracy"])):  # type: ignore[union-attr,index]
        if not best or one.accuracy["accuracy"] > best[-1].accuracy["accuracy"]:  # type: ignore[index]
            best.append(one)
    return best


def elsewhere(result: Result, results: Sequence[Result]) -> bool:
    """A baseline whose times come from another machine."""
    compared = [r.versus for r in results if r.versus]
    return result.versus is None and any(not versus.same_rounds for versus in compared)


def trade(results: Sequence[Result], unit: str = "face") -> str:
    """Accuracy against median latency of one `unit`: up and to the left is better."""
    timed = [entry for entry in _timed(results) if entry[1].accuracy]
    bounds = [b for _, r, _ in timed for b in (r.accuracy or {})["accuracy_95"]]
    room = max(max(bounds) - min(bounds), 0.01) * 0.25
    bottom, top = max(min(bounds) - room, 0.0), min(max(bounds) + room, 1.0)
    low = min(cost.p50_ms for _, _, cost in timed) / 1.6
    high = max(cost.p90_ms for _, _, cost in timed) * 1.6
    x = log_scale(low, high, FRAME.left, FRAME.right)
    y = linear_scale(bottom, top, FRAME.bottom, FRAME.top)
    ticks = linear_ticks(bottom, top)
    fine = len(ticks) > 1 and ticks[1] - ticks[0] < 0.0099
    rows = [(y(t), f"{100 * t:.1f}" if fine else f"{100 * t:.0f} %") for t in ticks]
    parts = [axes(time_columns(low, high, x), rows, f"p50, milliseconds for one {unit}")]
    parts.append(_front(front(results), x, y))
    for index, result, cost in timed:
        parts.append(_point(index, result, cost, (x, y), elsewhere(result, results)))
    parts.append(_point_labels(results, x, y))
    return svg(parts, "Accuracy against latency, by model")


def _front(best: Sequence[Result], x: Scale, y: Scale) -> str:
    """Steps: what accuracy can be had in at most so long."""
    if not best:
        return ""
    path = ""
    for one in best:
        assert one.cost
        assert one.accuracy
        across, up = x(one.cost.p50_ms), y(one.accuracy["accuracy"])
        path += f"H{across:.1f}V{up:.1f}" if path else f"M{across:.1f} {FRAME.bottom}V{up:.1f}"
    return f'<path class="front" d="{path}H{FRAME.right}"/>'


def _point(index: int, result: Result, cost: Cost, at: tuple[Scale, Scale], hollow: bool) -> str:
    """A dot with its Wilson interval, and a bar out to p90; hollow if it is of another machine."""
    assert result.accuracy
    x, y = at
    low, high = result.accuracy["accuracy_95"]
    across, up = x(cost.p50_ms), y(result.accuracy["accuracy"])
    return (
        f'<path class="bar s{index}" d="M{across:.1f} {y(low):.1f}V{y(high):.1f}'
        f'M{across:.1f} {up:.1f}H{x(cost.p90_ms):.1f}"/>'
        f'<circle class="{"ring" if hollow else "dot"} s{index}" cx="{across:.1f}" cy="{up:.1f}" '
        'r="5"/>'
    )


def crowded(results: Sequence[Result]) -> bool:
    """Too many for their names: the dots have numbers."""
    return sum(bool(r.cost and r.accuracy) for r in results) > MOST_NAMES


def _point_labels(results: Sequence[Result], x: Scale, y: Scale) -> str:
    """Names, or in a crowd numbers from 1 in the order of the results."""
    many, marks, texts, colours = crowded(results), [], [], []
    for number, result in enumerate(results):
        cost = result.cost
        if not cost or not result.accuracy:
            continue
        low, high = result.accuracy["accuracy_95"]
        across = x(cost.p50_ms)
        marks.append(Rectangle(across - 6, y(high), max(across + 6, x(cost.p90_ms)), y(low)))
        texts.append(str(number + 1) if many else _short(result.name))
        colours.append(number % SERIES)
    # Numbers stand close to each other: with air around them they stay apart on a phone too.
    places = place_labels(marks, texts, FRAME, FONT + (AIR if many else 0))
    return "".join(
        f'<text class="{"mark" if many else "name"} s{colour}" x="{left:.1f}" y="{base:.1f}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
        for colour, (left, base, anchor), text in zip(colours, places, texts, strict=True)
    )


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _timed(results: Sequence[Result]) -> list[Timed]:
    """Those with latency, each with its colour."""
    return [(i % SERIES, r, r.cost) for i, r in enumerate(results) if r.cost]

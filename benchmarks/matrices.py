"""Small drawings, one for each model: the confusion matrix and the reliability diagram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.axes import linear_scale, linear_ticks
from benchmarks.records import Result
from benchmarks.svg import FRAME, Scale, axes, svg, text
from benchmarks.words import percent
from edge_fer.emotions import LABELS
from edge_fer.statistics import Bin


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
        parts.append(text(left - 8, top + middle + 4, label, "end"))
        corner = f"{left + middle:.0f} {top - 8}"
        parts.append(
            f'<text transform="translate({corner}) rotate(-40)" text-anchor="start">{label}</text>'
        )
    extent = (left + side * len(LABELS) + 22, top + side * len(LABELS) + 4)
    return svg(parts, f"Confusion matrix of {result.name}", extent)


def reliability(bins: Sequence[Bin]) -> str:
    """Accuracy of each bin of confidence; on the line a model is as right as it is sure."""
    x = linear_scale(0, 1, FRAME.left, FRAME.right)
    y = linear_scale(0, 1, FRAME.bottom, FRAME.top)
    ticks = linear_ticks(0, 1)
    columns = [(x(t), f"{100 * t:.0f} %") for t in ticks]
    rows = [(y(t), f"{100 * t:.0f} %") for t in ticks]
    line = f'<path class="bar s0" d="M{x(0):.1f} {y(0):.1f}L{x(1):.1f} {y(1):.1f}"/>'
    bars = [_bin(b, x, y) for b in bins]
    parts = [axes(columns, rows, "best probability"), *bars, line]
    return svg(parts, "Accuracy against the best probability")


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

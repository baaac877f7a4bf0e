"""Parts of a drawing as SVG: colours come from the page's style sheet, so they follow the theme."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from benchmarks.axes import Rectangle, log_ticks
from benchmarks.words import number

WIDTH, HEIGHT = 430, 310
FRAME = Rectangle(48, 14, WIDTH - 12, HEIGHT - 44)
FONT = 12
SERIES = 12
"""Colours in the style sheet; the baseline has the first, and nine bundles have their own."""

Scale = Callable[[float], float]


def time_columns(low: float, high: float, x: Scale) -> list[tuple[float, str]]:
    """Ticks of a time axis that leave room for their numbers."""
    kept: list[tuple[float, str]] = []
    for tick in log_ticks(low, high):
        said = number(tick).rstrip("0").rstrip(".") if tick < 100 else number(tick)
        # Half of either number, and a gap; a phone's are larger.
        room = (len(said) + len(kept[-1][1])) / 2 * FONT * 0.66 + 8 if kept else 0.0
        if not kept or x(tick) - kept[-1][0] > max(room, 30):
            kept.append((x(tick), said))
    return kept


def axes(
    columns: Sequence[tuple[float, str]], rows: Sequence[tuple[float, str]], title: str
) -> str:
    """Grid lines with their labels: (x, text) columns, (y, text) rows, and what x is."""
    parts = []
    for across, said in columns:
        parts.append(f'<path class="grid" d="M{across:.1f} {FRAME.top}V{FRAME.bottom}"/>')
        parts.append(text(across, FRAME.bottom + 17, said, "middle"))
    for down, said in rows:
        parts.append(f'<path class="grid" d="M{FRAME.left} {down:.1f}H{FRAME.right}"/>')
        parts.append(text(FRAME.left - 7, down + 4, said, "end"))
    middle = (FRAME.left + FRAME.right) / 2
    return "".join([*parts, text(middle, HEIGHT - 8, title, "middle")])


def text(x: float, y: float, said: str, anchor: str) -> str:
    """A text at its baseline; `anchor` is SVG's: start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def svg(parts: Sequence[str], title: str, extent: tuple[float, float] = (WIDTH, HEIGHT)) -> str:
    """A whole drawing; `title` is read out in its stead."""
    width, height = (math.ceil(side) for side in extent)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )

"""Scales, ticks and label places for plots: arithmetic without a drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CHARACTER = 0.58
"""Mean width of a character, as a share of the font size."""

Place = tuple[float, float, str]
"""x, baseline y and text-anchor"""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A stretch of the drawing, in its own units."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Rectangle) -> bool:
        """They share a point."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def contains(self, other: Rectangle) -> bool:
        """The other one lies inside."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


def log_scale(low: float, high: float, left: float, right: float) -> Callable[[float], float]:
    """Maps `low` to `left` and `high` to `right`, by logarithm."""
    step = (right - left) / (math.log(high) - math.log(low))
    return lambda value: left + (math.log(value) - math.log(low)) * step


def linear_scale(low: float, high: float, left: float, right: float) -> Callable[[float], float]:
    """Maps `low` to `left` and `high` to `right`."""
    return lambda value: left + (value - low) * (right - left) / (high - low)


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 and their tenfolds; even steps where the range is too narrow for three of them."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [m * 10.0**e for e in exponents for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    return found if len(found) >= 3 else linear_ticks(low, high)


def linear_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """About `wanted` round values within a range."""
    raw = (high - low) / wanted
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(step * i, 10) for i in range(first, last + 1)]


def place_labels(
    marks: Sequence[Rectangle], texts: Sequence[str], frame: Rectangle, size: float
) -> list[Place]:
    """Where to write a text at each mark so that texts hide neither each other nor a mark.

    Tries right, left, above and below, then further away; keeps the first place that is free.
    """
    occupied = list(marks)
    places = []
    for mark, text in zip(marks, texts, strict=True):
        candidates = _candidates(mark, size)
        boxes = [_box(place, text, size) for place in candidates]
        free = (
            i
            for i, box in enumerate(boxes)
            if frame.contains(box) and not any(box.overlaps(other) for other in occupied)
        )
        chosen = next(free, 0)
        places.append(candidates[chosen])
        occupied.append(boxes[chosen])
    return places


def _candidates(mark: Rectangle, size: float) -> list[Place]:
    """Beside the mark's middle, then at its ends, then step by step further out."""
    across, down = (mark.left + mark.right) / 2, (mark.top + mark.bottom) / 2
    places: list[Place] = []
    for reach in range(6):
        drop = reach * size * 1.25
        for middle in (down - drop, down + drop):
            places.append((mark.right + 4, middle + size * 0.35, "start"))
            places.append((mark.left - 4, middle + size * 0.35, "end"))
        for base in (mark.top - size * 0.5 - drop, mark.bottom + size * 1.1 + drop):
            places.append((across, base, "middle"))
            places.append((mark.left, base, "start"))
            places.append((mark.right, base, "end"))
    return places


def _box(place: Place, text: str, size: float) -> Rectangle:
    x, y, anchor = place
    width = len(text) * size * CHARACTER
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return Rectangle(left, y - size * 0.85, left + width, y + size * 0.3)

"""Time of a network on a device: per layer the slower of multiplying and of moving its bytes.

The roofline model (Williams, Waterman and Patterson, CACM 2009), with peaks lowered to the share of
them that networks like this one were measured to reach.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.estimate.work import Layer

MOVED = (0.3, 0.8)
"""Share of the memory's peak that is reached: assumed, no published figure isolates it."""


@dataclass(frozen=True, slots=True)
class Like:
    """A network that someone measured on the device."""

    model: str
    gmacs: float
    """Billions of multiply-accumulates of one picture, as its authors or its card give them."""
    ms: float
    source: str


@dataclass(frozen=True, slots=True)
class Device:
    """A board in one precision."""

    name: str
    precision: str
    """`fp32`, `fp16` or `int8`."""
    peak_gmacs: float
    """Billions of multiply-accumulates a second that its units could do."""
    peak_gbytes: float
    """Billions of bytes a second that its memory could move."""
    source: str
    """Where the peaks are from."""
    likes: tuple[Like, ...]

    def efficiencies(self) -> tuple[float, float]:
        """Least and greatest share of the peak that the like models reached."""
        shares = [like.gmacs / like.ms * 1000 / self.peak_gmacs for like in self.likes]
        return min(shares), max(shares)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Milliseconds for one face: a range, never a measurement."""

    low_ms: float
    high_ms: float

    @property
    def middle_ms(self) -> float:
        """The geometric middle: the range is one of ratios."""
        return math.sqrt(self.low_ms * self.high_ms)

    def holds(self, ms: float) -> bool:
        """The measured time lies inside."""
        return self.low_ms <= ms <= self.high_ms


def estimate(layers: Sequence[Layer], device: Device) -> Estimate:
    """The range between the best and the worst of the like models' efficiencies."""
    worst, best = device.efficiencies()
    return Estimate(
        _time_ms(layers, device, best, MOVED[1]), _time_ms(layers, device, worst, MOVED[0])
    )


def _time_ms(layers: Sequence[Layer], device: Device, reached: float, moved: float) -> float:
    seconds = 0.0
    for layer in layers:
        multiplying = layer.macs / (device.peak_gmacs * 1e9 * reached)
        moving = layer.bytes(device.precision) / (device.peak_gbytes * 1e9 * moved)
        seconds += max(multiplying, moving)
    return 1000 * seconds

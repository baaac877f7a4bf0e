"""Rules that give the range which a tensor's 256 INT8 steps span, from what faces did to it.

Which rule serves a format is decided by figures: `python -m converters.compare` makes the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

STEPS = 255
CLIPS = np.linspace(0.1, 1.0, 31)
"""Shares of the extremes that the searching rules try."""
BINS = 2048


@dataclass(frozen=True, slots=True)
class Seen:
    """One tensor over N faces."""

    lows: NDArray[np.float32]
    """(N,)"""
    highs: NDArray[np.float32]
    """(N,)"""
    values: NDArray[np.float32]
    """(M,) drawn from all faces."""


Range = tuple[float, float]
Rule = Callable[[Seen], Range]


def extremes(seen: Seen) -> Range:
    """Holds everything that was seen."""
    return float(seen.lows.min()), float(seen.highs.max())


def percentile(seen: Seen, reach: float) -> Range:
    """Holds the extremes of `reach` percent of the faces."""
    return float(np.percentile(seen.lows, 100 - reach)), float(np.percentile(seen.highs, reach))


def mean(seen: Seen) -> Range:
    """The mean face's extremes: the rule of ai-edge-quantizer and of NNCF."""
    return float(seen.lows.mean()), float(seen.highs.mean())


def squared_error(seen: Seen) -> Range:
    """The clipped range in which rounding and clipping together cost least in the mean square."""
    return _best(seen, lambda low, high: float(np.square(_rounded(seen, low, high)).mean()))


def entropy(seen: Seen) -> Range:
    """The clipped range whose steps keep most of the distribution.

    Least Kullback-Leibler divergence of the rounded from the clipped values, as in TensorRT
    (Migacz, GTC 2017), one end after the other.
    """
    return _best(seen, lambda low, high: _divergence(seen.values, low, high))


RULES: Mapping[str, Rule] = {
    "min-max": extremes,
    "percentile 99": partial(percentile, reach=99.0),
    "percentile 95": partial(percentile, reach=95.0),
    "mean": mean,
    "mse": squared_error,
    "entropy": entropy,
}


def _best(seen: Seen, cost: Callable[[float, float], float]) -> Range:
    """The cheapest clip of the upper end, then of the lower."""
    low, high = extremes(seen)
    high = min((cost(low, high * clip), high * clip) for clip in CLIPS)[1]
    low = min((cost(low * clip, high), low * clip) for clip in CLIPS)[1]
    return float(low), float(high)


def _rounded(seen: Seen, low: float, high: float) -> NDArray[np.float32]:
    """The error that the steps of a range make in each value."""
    step = max(high - low, 1e-12) / STEPS
    nearest = np.clip(np.round((seen.values - low) / step), 0, STEPS) * step + low
    return np.asarray(nearest - seen.values)


def _divergence(values: NDArray[np.float32], low: float, high: float) -> float:
    """From all values, those outside put on the ends, to those inside spread over 256 steps.

    Fine bins on one side, on the other each step's values spread evenly over its used bins.
    """
    inside = (values >= low) & (values <= high)
    counts, _ = np.histogram(values[inside], BINS, (low, max(high, low + 1e-12)))
    groups = counts.reshape(STEPS + 1, -1).astype(np.float64)
    used = groups > 0
    given = used * groups.sum(1, keepdims=True) / np.maximum(used.sum(1, keepdims=True), 1)
    wanted = groups.copy()
    wanted[0, 0] += (values < low).sum()
    wanted[-1, -1] += (values > high).sum()
    wanted, given = wanted / wanted.sum(), given / max(given.sum(), 1)
    filled = wanted > 0
    return float((wanted[filled] * np.log(wanted[filled] / np.maximum(given[filled], 1e-9))).sum())

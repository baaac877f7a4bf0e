"""Latency of single faces, as MLPerf's single-stream scenario: the next starts when one is done.

All subjects take part in every round, in an order drawn anew each time: a machine that warms up or
gets busy slows them alike, and a ratio within a round hardly feels it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Cost, Settings
from edge_fer.errors import EdgeFerError
from edge_fer.progress import Progress
from edge_fer.statistics import Interval

Times = NDArray[np.float64]
"""(rounds, queries) milliseconds"""

UNSTEADY = 0.1
"""Spread of a subject's round medians, as a share, from which its latency is called unsteady."""


class Timed(Protocol):
    """What latency is measured on: a `Subject`, or a script in a test."""

    name: str

    def time(self, start: int, count: int) -> list[int]:
        """Nanoseconds of `count` inferences over the faces from number `start` on."""


@dataclass(frozen=True, slots=True)
class Timings:
    """The rounds of those that finished them, and why others did not."""

    times: dict[str, Times] = field(default_factory=dict)
    failures: dict[str, EdgeFerError] = field(default_factory=dict)


def warm_up(subject: Timed, settings: Settings) -> float:
    """Milliseconds of the very first inference; those after it are dropped."""
    first = subject.time(0, 1)[0]
    if settings.warmup:
        subject.time(1, settings.warmup)
    return first / 1e6


def measure(subjects: Sequence[Timed], settings: Settings, progress: Progress) -> Timings:
    """Interleaved rounds over subjects that are loaded and warm."""
    order = random.Random(settings.seed)
    rounds: dict[str, list[list[float]]] = {subject.name: [] for subject in subjects}
    failures: dict[str, EdgeFerError] = {}
    for number in range(settings.rounds):
        for subject in order.sample(list(subjects), len(subjects)):
            if subject.name in failures:
                continue
            try:
                rounds[subject.name].append(_block(subject, number, settings))
            except EdgeFerError as error:
                failures[subject.name] = error
        progress("latency", number + 1, settings.rounds)
    finished = {n: np.array(times) for n, times in rounds.items() if n not in failures}
    return Timings(finished, failures)


def _block(subject: Timed, number: int, settings: Settings) -> list[float]:
    """One subject's turn: milliseconds over the faces that all see in this round."""
    count = settings.settle + settings.queries
    return [ns / 1e6 for ns in subject.time(number * count, count)[settings.settle :]]


def cost(load_ms: float, first_ms: float, peak_rss_bytes: int, times: Times) -> Cost:
    """The figures of one subject; percentiles are times that really occurred (nearest rank)."""
    p50, p90, p99 = np.percentile(times, (50, 90, 99), method="inverted_cdf")
    return Cost(
        load_ms=load_ms,
        first_ms=first_ms,
        peak_rss_bytes=peak_rss_bytes,
        count=times.size,
        p50_ms=float(p50),
        p90_ms=float(p90),
        p99_ms=float(p99),
        mean_ms=float(times.mean()),
        deviation_ms=float(times.std()),
        least_ms=float(times.min()),
        most_ms=float(times.max()),
        rounds_ms=tuple(tuple(round(t, 4) for t in row) for row in times.tolist()),
    )


def speed(baseline: Times, bundle: Times) -> Interval:
    """How many times faster, pair by round: the median ratio, the least and the greatest."""
    ratios = np.median(baseline, axis=1) / np.median(bundle, axis=1)
    return Interval(float(np.median(ratios)), float(ratios.min()), float(ratios.max()))


def is_unsteady(times: Times) -> bool:
    """The middle half of the round medians spreads over more than a tenth of the median."""
    low, middle, high = np.percentile(np.median(times, axis=1), (25, 50, 75))
    return bool(high - low > UNSTEADY * middle)

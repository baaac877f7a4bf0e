"""Latency of single faces, as MLPerf's single-stream scenario: the next starts when one is done.

All subjects take part in every round, in an order drawn anew each time: a machine that warms up or
gets busy slows them alike, and a ratio within a round hardly feels it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.energy import Meter
from benchmarks.records import Cost, Energy, Settings
from edge_fer.errors import EdgeFerError
from edge_fer.progress import Progress
from edge_fer.statistics import Interval

UNSTEADY = 0.1
"""Spread of a subject's round medians, as a share, from which its latency is called unsteady."""
QUANTILES = np.linspace(0, 100, 201)
"""Percentiles that a report keeps."""


class Timed(Protocol):
    """What latency is measured on: a `Subject`, or a script in a test."""

    name: str

    def time(self, start: int, count: int, seconds: float = 0.0) -> list[int]:
        """Nanoseconds of inferences over the faces from number `start` on.

        At least `count` of them, and as many more as it takes to fill `seconds`.
        """


@dataclass(frozen=True, slots=True)
class Turn:
    """One subject's part of one round."""

    ms: NDArray[np.float64]
    """(queries,) milliseconds, without those in which caches settle."""
    joules: float | None = None
    """Drawn during the turn, all its inferences included."""
    inferences: int = 0
    """Those that were dropped included."""
    seconds: float = 0.0
    """Of all these inferences."""


Turns = dict[str, list[Turn]]
"""By subject, in the order of the rounds."""


@dataclass(frozen=True, slots=True)
class Timings:
    """The rounds of those that finished them, and why others did not."""

    turns: Turns = field(default_factory=dict)
    failures: dict[str, EdgeFerError] = field(default_factory=dict)


def warm_up(subject: Timed, settings: Settings) -> float:
    """Milliseconds of the very first inference; those after it are dropped."""
    first = subject.time(0, 1)[0]
    if settings.warmup:
        subject.time(1, settings.warmup)
    return first / 1e6


def measure(
    subjects: Sequence[Timed],
    settings: Settings,
    progress: Progress,
    meter: Meter | None = None,
    done: Sequence[dict[str, Turn]] = (),
    keep: Callable[[int, dict[str, Turn]], None] = lambda number, turns: None,
) -> Timings:
    """Interleaved rounds over subjects that are loaded and warm.

    Args:
        done: rounds of an earlier sitting; they are not measured again.
        keep: told of every round that is finished.
    """
    order = random.Random(settings.seed)
    rounds = list(done)
    failures: dict[str, EdgeFerError] = {}
    for number in range(settings.rounds):
        turns = order.sample(list(subjects), len(subjects))
        if number < len(done):
            continue
        found: dict[str, Turn] = {}
        for subject in turns:
            if subject.name in failures:
                continue
            try:
                found[subject.name] = _turn(subject, number, settings, meter)
            except EdgeFerError as error:
                failures[subject.name] = error
        keep(number, found)
        rounds.append(found)
        progress("latency", number + 1, settings.rounds)
    well = [s.name for s in subjects if s.name not in failures]
    return Timings({name: [turns[name] for turns in rounds] for name in well}, failures)


def _turn(subject: Timed, number: int, settings: Settings, meter: Meter | None) -> Turn:
    """Milliseconds over the faces that all see in this round, and the energy they took."""
    first = number * (settings.settle + settings.queries)
    before = meter.joules() if meter else 0.0
    dropped = subject.time(first, settings.settle) if settings.settle else []
    # By themselves, so that the seconds asked for are those of inferences that count.
    taken = subject.time(first + settings.settle, settings.queries, settings.turn_s)
    joules = meter.joules() - before if meter else None
    spent = sum(dropped) + sum(taken)
    return Turn(np.array(taken) / 1e6, joules, len(dropped) + len(taken), spent / 1e9)


def cost(load_ms: float, first_ms: float, memory: tuple[int, int], turns: Sequence[Turn]) -> Cost:
    """The figures of one subject; percentiles are times that really occurred (nearest rank).

    `memory` is the peak and the steady resident size, in bytes.
    """
    times = np.concatenate([turn.ms for turn in turns])
    p50, p90, p99 = np.percentile(times, (50, 90, 99), method="inverted_cdf")
    quantiles = np.percentile(times, QUANTILES, method="inverted_cdf")
    return Cost(
        load_ms=load_ms,
        first_ms=first_ms,
        peak_rss_bytes=memory[0],
        steady_rss_bytes=memory[1],
        count=times.size,
        timed_s=float(times.sum()) / 1000,
        p50_ms=float(p50),
        p90_ms=float(p90),
        p99_ms=float(p99),
        mean_ms=float(times.mean()),
        deviation_ms=float(times.std()),
        least_ms=float(times.min()),
        most_ms=float(times.max()),
        quantiles_ms=tuple(round(float(t), 4) for t in quantiles),
        rounds_p50_ms=tuple(round(m, 4) for m in medians(turns).tolist()),
    )


def energy(turns: Sequence[Turn], source: str) -> Energy | None:
    """Joules a face over all turns; None where no turn was metered."""
    metered = [turn for turn in turns if turn.joules is not None]
    joules = sum(turn.joules or 0.0 for turn in metered)
    faces = sum(turn.inferences for turn in metered)
    seconds = sum(turn.seconds for turn in metered)
    # A counter that stands still measures nothing: some virtual machines have one.
    if not faces or joules <= 0:
        return None
    return Energy(joules / faces, joules / seconds, source)


def medians(turns: Sequence[Turn]) -> NDArray[np.float64]:
    """(rounds,) median milliseconds."""
    return np.array([np.median(turn.ms) for turn in turns])


def speed(baseline: NDArray[np.float64], bundle: NDArray[np.float64]) -> Interval:
    """How many times faster, pair by round: the median ratio, the least and the greatest.

    Both are (rounds,) medians; a single one of the baseline serves for all rounds.
    """
    ratios = baseline / bundle
    return Interval(float(np.median(ratios)), float(ratios.min()), float(ratios.max()))


def is_unsteady(turns: Sequence[Turn]) -> bool:
    """The middle half of the round medians spreads over more than a tenth of the median."""
    low, middle, high = np.percentile(medians(turns), (25, 50, 75))
    return bool(high - low > UNSTEADY * middle)

"""Throughput: faces a second by threads, in fresh processes, and by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from benchmarks.records import Rate

BATCHES = (1, 2, 4, 8)


class Streaming(Protocol):
    """What throughput is measured on."""

    def stream(self, batch: int, seconds: float) -> list[int]:
        """Nanoseconds of requests of `batch` faces each, as many as fill `seconds`."""


def threads_of(cores: int) -> list[int]:
    """1, 2, 4 ... and all."""
    doubled = [2**i for i in range(cores.bit_length()) if 2**i < cores]
    return [*doubled, cores]


def rate(subject: Streaming, threads: int, batch: int, seconds: float) -> Rate:
    """Faces a second over the whole stretch, a request after the other."""
    subject.stream(batch, 0.0)
    taken = np.array(subject.stream(batch, seconds))
    return Rate(
        threads,
        batch,
        faces_per_s=float(batch * len(taken) / (taken.sum() / 1e9)),
        request_ms=float(np.median(taken)) / 1e6,
    )


def plan(cores: int, own: int) -> Iterator[tuple[int, int]]:
    """Pairs of threads and batch: every batch with the threads of the run, one face with others."""
    yield from ((own, batch) for batch in BATCHES)
    yield from ((threads, 1) for threads in threads_of(cores) if threads != own)


def measure(
    open_with: Callable[[int], Streaming],
    pairs: Sequence[tuple[int, int]],
    seconds: float,
    keep: Callable[[Rate], None],
) -> None:
    """Measure each pair; `open_with` gives a subject that has so many threads."""
    for threads, batch in pairs:
        keep(rate(open_with(threads), threads, batch, seconds))

"""The same faces through every subject, and what may be said of the difference."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_fer.progress import Progress
from edge_fer.statistics import Interval
from edge_fer.types import ScoreBatch

CHUNK = 128
"""Faces a request: progress shows, and an answer stays small."""
MARGIN = 0.01
"""Drop in accuracy that still counts as keeping it; NNCF's default `max_drop`."""
FIRM = 1000
"""Labelled faces under which a verdict is provisional."""
LEAST = 100
"""Labelled faces under which no verdict is given."""

WITHIN, WORSE, UNDECIDED = "within a point", "worse", "undecided"


class Predicting(Protocol):
    """What accuracy is measured on: a `Subject`, or a script in a test."""

    name: str

    def predict(self, start: int, stop: int) -> list[list[float]]:
        """(stop - start, 7) scores."""


def predict(subject: Predicting, count: int, progress: Progress, what: str = "faces") -> ScoreBatch:
    """(count, 7) scores of all faces."""
    scores: list[list[float]] = []
    for start in range(0, count, CHUNK):
        scores += subject.predict(start, min(start + CHUNK, count))
        progress(f"{subject.name}: {what}", len(scores), count)
    return np.array(scores, np.float32)


def verdict(difference: Interval, faces: int) -> str | None:
    """What the 95 % interval of the paired difference allows to say; None under 100 faces."""
    if faces < LEAST:
        return None
    if difference.low >= -MARGIN:
        return WITHIN
    return WORSE if difference.high < -MARGIN else UNDECIDED


def answers(scores: ScoreBatch) -> NDArray[np.int64]:
    """(N,) best classes."""
    return np.asarray(scores.argmax(axis=1), np.int64)

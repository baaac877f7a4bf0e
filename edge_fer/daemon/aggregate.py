"""Windows of time instead of faces: how many there were, and what they wore on average."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_fer.types import Prediction

LEAST_FACES = 5
"""k of the public profile: a mean of fewer faces says too much of each (our choice; no authority
gives a number)."""
LEAST_SEEN_S = 1.0
"""A face counts towards k once it was seen for so long: a flickering detection is no person."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """A closed one."""

    seconds: float
    faces: int
    """Tracks; one who leaves and comes back counts twice."""
    mean: Scores | None
    """(7,) mean of the faces' own means, so that all weigh the same; None without a face."""
    suppressed: bool
    """True when nothing but this may be told."""


@dataclass(slots=True)
class _Face:
    """One track within the window."""

    first: float
    last: float
    frames: int = 0
    total: Scores = field(default_factory=lambda: np.zeros(7, np.float32))


class Windows:
    """One after the other, without overlap; times are monotonic seconds."""

    def __init__(self, seconds: float, public: bool, now: float) -> None:
        self._seconds, self._public, self._begun = seconds, public, now
        self._faces: dict[int | None, _Face] = {}

    def take(self, predictions: Iterable[Prediction], now: float) -> None:
        """Add the faces of one frame."""
        for one in predictions:
            face = self._faces.setdefault(one.face.track, _Face(now, now))
            face.last, face.frames = max(now, face.last), face.frames + 1
            face.total += one.scores

    def due(self, now: float) -> bool:
        """True when the window is over."""
        return now - self._begun >= self._seconds

    def close(self, now: float) -> Window:
        """End the window and begin the next."""
        faces, lasted = self._faces, max(now - self._begun, 0.0)
        self._faces, self._begun = {}, now
        counted = [face for face in faces.values() if not self._public or _stayed(face)]
        means = [face.total / face.frames for face in counted]
        mean = np.asarray(np.mean(means, axis=0), np.float32) if means else None
        few = self._public and len(counted) < LEAST_FACES
        return Window(lasted, len(counted), mean, few)


def _stayed(face: _Face) -> bool:
    return face.last - face.first >= LEAST_SEEN_S

"""Faces that come and go: an event for each, beside the updates of every frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from edge_fer.daemon.events import Event, Events, Scores
from edge_fer.types import Frame, Prediction


@dataclass(slots=True)
class _Visit:
    """One face since it came; monotonic seconds."""

    first: float
    last: float
    frames: int = 0
    total: Scores = field(default_factory=lambda: np.zeros(7, np.float32))


class Visits:
    """Whom we have greeted and not yet seen off."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._here: dict[int, _Visit] = {}

    def note(self, predictions: Iterable[Prediction], frame: Frame) -> list[Event]:
        """The faces of one frame; gives a `new` for each that was not here before."""
        greetings = []
        for one in predictions:
            track = one.face.track
            if track is None:
                continue
            if track not in self._here:
                self._here[track] = _Visit(frame.captured, frame.captured)
                greetings.append(self._events.begun(one, frame))
            visit = self._here[track]
            visit.last, visit.frames = frame.captured, visit.frames + 1
            visit.total += one.scores
        return greetings

    def end(self, tracks: Iterable[int]) -> list[Event]:
        """An `end` for each of the tracks that was greeted."""
        farewells = []
        for track in tracks:
            visit = self._here.pop(track, None)
            if visit is not None:
                mean = np.asarray(visit.total / visit.frames, np.float32)
                lasted = visit.last - visit.first
                farewells.append(self._events.ended(track, lasted, visit.frames, mean))
        return farewells

    def forget(self) -> None:
        """Nobody was here: from now on nobody is told of."""
        self._here.clear()

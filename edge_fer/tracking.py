"""Gives the same number to the same face in later frames, by overlap alone."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from edge_fer.types import Box, Face

LEAST_OVERLAP = 0.3
"""Intersection over union from which two boxes are the same face (as SORT, Bewley et al. 2016)."""
FORGET_S = 1.0
"""Seconds after which a face that is not seen any more has left, at a usual frame rate."""
FORGET_FRAMES = 2.5
"""The same in intervals between two frames, where a camera or a detector takes its time."""
FIRST_S = 8.0
"""The same until a second frame has told the interval."""
RECENT = 5
"""Intervals whose median counts: one pause does not make a slow camera."""
FIRST_BELOW = 2**31
"""Numbers start anywhere under this, so that two starts cannot be linked by their tracks."""


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    seen: float


class Tracker:
    """Numbers faces; a number is never used again."""

    def __init__(self, forget_s: float = FORGET_S) -> None:
        self._forget_s = forget_s
        self._next = 1 + secrets.randbelow(FIRST_BELOW)
        self._tracks: list[_Track] = []
        self._ended: list[int] = []
        self._intervals: deque[float] = deque(maxlen=RECENT)
        self._last: float | None = None

    @property
    def alive(self) -> set[int]:
        """The numbers that may still come back."""
        return {track.number for track in self._tracks}

    @property
    def forget_s(self) -> float:
        """Seconds after which a face that is not seen any more has left."""
        if self._intervals:
            return max(self._forget_s, FORGET_FRAMES * median_low(self._intervals))
        return self._forget_s if self._last is None else max(self._forget_s, FIRST_S)

    def frame(self, captured: float) -> None:
        """A frame is looked at, whoever is in it; monotonic seconds."""
        if self._last is not None and captured > self._last:
            self._intervals.append(captured - self._last)
        self._last = captured

    def pause(self) -> None:
        """Frames stop for a reason of their own: until the next one is no interval."""
        self._last = None

    def update(self, faces: Sequence[Face], captured: float) -> list[Face]:
        """The same faces in the same order, numbered; `captured` in monotonic seconds."""
        self.expire(captured)
        matched = _match([face.box for face in faces], self._tracks)
        return [self._numbered(face, matched.get(i), captured) for i, face in enumerate(faces)]

    def move(self, faces: Sequence[Face], captured: float) -> list[Face]:
        """Take note of faces that were followed, not looked for; they keep their numbers."""
        moved = {face.track: face.box for face in faces}
        for track in self._tracks:
            if track.number in moved:
                track.box, track.seen = moved[track.number], captured
        return list(faces)

    def expire(self, now: float, forget_s: float | None = None) -> None:
        """End the tracks not seen for so long, in seconds; None is the tracker's own time."""
        limit = self.forget_s if forget_s is None else forget_s
        kept = [track for track in self._tracks if now - track.seen <= limit]
        self._ended += [track.number for track in self._tracks if track not in kept]
        self._tracks = kept

    def ended(self) -> list[int]:
        """The numbers that have ended since this was last asked."""
        ended, self._ended = self._ended, []
        return ended

    def _numbered(self, face: Face, track: _Track | None, captured: float) -> Face:
        if track is None:
            track = _Track(self._next, face.box, captured)
            self._next += 1
            self._tracks.append(track)
        track.box, track.seen = face.box, captured
        return replace(face, track=track.number)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def _match(boxes: Sequence[Box], tracks: Sequence[_Track]) -> dict[int, _Track]:
    """Index of a box to its track: the pair that overlaps most first, each used once."""
    pairs = [
        (overlap(box, track.box), i, j)
        for i, box in enumerate(boxes)
        for j, track in enumerate(tracks)
    ]
    matched: dict[int, _Track] = {}
    taken: set[int] = set()
    for share, i, j in sorted(pairs, reverse=True):
        if share < LEAST_OVERLAP:
            break
        if i not in matched and j not in taken:
            matched[i] = tracks[j]
            taken.add(j)
    return matched

"""Which faces are in a frame: looked for every N frames, followed between, the largest kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from edge_fer.config import MOST_FACES
from edge_fer.following import Follower
from edge_fer.protocols import FaceDetector
from edge_fer.tracking import Tracker
from edge_fer.types import Box, Face, Frame, Image

SHARE = 0.2
"""Of the time between two frames that detection may take on average."""
LONGEST_S = 0.5
"""Between two detections: so long may a new face wait."""
MOST_EVERY = 8
"""Frames, however slow the detector: flow drifts, and people turn."""
RECENT = 0.1
"""Weight of the newest measurement in a mean."""


@dataclass(frozen=True, slots=True)
class Search:
    """Where, how often and which faces are looked for."""

    roi: tuple[float, float, float, float] | None = None
    """Left, top, width, height in shares of the frame; None is all of it."""
    smallest_face: int = 0
    """Pixels of the shorter side."""
    most_faces: int = MOST_FACES
    detect_every: int | None = None
    """Frames; None is as the measured cost allows, which is every frame for a file."""
    live: bool = True
    """False for a file: the time between its frames means nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """The faces of one frame."""

    faces: list[Face]
    """Numbered, the largest first, at most `most_faces`."""
    total: int
    """All that the last detection found."""
    detect_ms: float
    """Detecting, or following."""
    others: tuple[Box, ...] | None = ()
    """Where the people are who are left alone: too many or too small; None where nobody knows."""


class Pace:
    """How many frames may pass from one detection to the next, from what both cost."""

    def __init__(self, every: int | None, live: bool) -> None:
        self._fixed = every if every is not None or live else 1
        self._cost_s = self._interval_s = math.nan
        self._last = math.nan

    @property
    def every(self) -> int:
        """1 is each frame."""
        if self._fixed is not None:
            return self._fixed
        if math.isnan(self._cost_s) or math.isnan(self._interval_s) or self._interval_s <= 0:
            return 1
        wanted = math.ceil(self._cost_s / (SHARE * self._interval_s))
        patience = int(LONGEST_S / self._interval_s)
        return max(1, min(wanted, patience, MOST_EVERY))

    def detected(self, cost_s: float) -> None:
        """A detection took so long."""
        self._cost_s = _mean(self._cost_s, cost_s)

    def frame(self, captured: float) -> None:
        """A frame was taken at so many monotonic seconds."""
        if captured > self._last:
            self._interval_s = _mean(self._interval_s, captured - self._last)
        self._last = captured


class Finder:
    """Detector, follower and tracker as one; frames must come in order."""

    def __init__(self, detector: FaceDetector, search: Search, tracker: Tracker) -> None:
        self._detector, self._search, self._tracker = detector, search, tracker
        self._follower = Follower()
        self.pace = Pace(search.detect_every, search.live)
        self._since = math.inf  # the first frame is looked at, whatever the pace
        self._faces: list[Face] = []
        self._total = 0
        self._others: tuple[Box, ...] = ()

    def find(self, frame: Frame) -> Found:
        """The faces of one frame."""
        start = perf_counter()
        self.pace.frame(frame.captured)
        self._tracker.frame(frame.captured)
        self._since += 1
        if self._since >= self.pace.every or not self._follow(frame):
            self._detect(frame)
            self.pace.detected(perf_counter() - start)
            self._since = 0
        spent_ms = 1000 * (perf_counter() - start)
        return Found(list(self._faces), self._total, spent_ms, self._beside())

    def _detect(self, frame: Frame) -> None:
        seen = [face for face in self._detected(frame.image) if visible(face.box, frame.image)]
        found = [face for face in seen if self._counts(face)]
        largest = sorted(found, key=lambda face: -face.box.width * face.box.height)
        self._total = len(found)
        kept = largest[: self._search.most_faces]
        self._others = tuple(face.box for face in seen if face not in kept)
        self._faces = self._tracker.update(kept, frame.captured)
        if self.pace.every > 1:
            self._follower.look(frame.image)

    def _follow(self, frame: Frame) -> bool:
        """Move the faces on; False when one was lost, so that it must be looked for."""
        if not self._faces:
            return True
        boxes = self._follower.follow(frame.image, [face.box for face in self._faces])
        kept = [box for box in boxes if box is not None and visible(box, frame.image)]
        if len(kept) < len(self._faces):
            return False
        moved = [replace(face, box=box) for face, box in zip(self._faces, kept, strict=True)]
        self._faces = self._tracker.move(moved, frame.captured)
        return True

    def _detected(self, image: Image) -> Sequence[Face]:
        """Faces in the region of interest, in pixels of the whole frame."""
        if self._search.roi is None:
            return self._detector.detect(image)
        part = pixels(self._search.roi, image)
        inside = image[part.top : part.bottom, part.left : part.right]
        return [
            replace(face, box=_shifted(face.box, part.left, part.top))
            for face in self._detector.detect(inside)
        ]

    def _beside(self) -> tuple[Box, ...] | None:
        """Nobody looks outside the region, and nothing follows those who are left alone."""
        if self._search.roi is not None or (self._others and self.pace.every > 1):
            return None
        return self._others

    def _counts(self, face: Face) -> bool:
        return min(face.box.width, face.box.height) >= self._search.smallest_face


def pixels(roi: tuple[float, float, float, float], image: Image) -> Box:
    """The part of an image, at least one pixel a side."""
    height, width = image.shape[:2]
    left, top = min(int(roi[0] * width), width - 1), min(int(roi[1] * height), height - 1)
    right = min(max(round((roi[0] + roi[2]) * width), left + 1), width)
    bottom = min(max(round((roi[1] + roi[3]) * height), top + 1), height)
    return Box(left, top, right, bottom)


def visible(box: Box, image: Image) -> bool:
    """True when a box has an area and some of it lies in the image."""
    height, width = image.shape[:2]
    across = range(max(box.left, 0), min(box.right, width))
    down = range(max(box.top, 0), min(box.bottom, height))
    return bool(across and down)


def _shifted(box: Box, right: int, down: int) -> Box:
    return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


def _mean(before: float, now: float) -> float:
    return now if math.isnan(before) else before + RECENT * (now - before)

"""Follows faces from frame to frame without looking for them: median flow.

Sparse optical flow there and back between two small grey pictures; the half of the points that come
back best say how far the face moved and how much it grew (Kalal, Mikolajczyk and Matas, ICPR 2010).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_fer.types import Box, Image

WIDTH = 320
"""Pixels of the small picture; a face of 48 px in 640 still has 24."""
GRID = 5
"""Points a side, over the inner three fifths of the box: beyond is background."""
INNER = (0.2, 0.8)
LEAST_POINTS = 6
"""Fewer that came back are no movement to trust."""
FLOW: dict[str, Any] = {"winSize": (15, 15), "maxLevel": 2, "criteria": (3, 10, 0.03)}
"""Of the pyramid: motions of up to 30 px of the small picture a frame."""
LEAST_ALIKE = 0.5
"""Correlation of the inner part before and after: noise has 0, drawn heads that tilt over 0.9."""
PATCH = (16, 16)
MOST_GROWTH = 1.25
"""In one frame; more is a wrong match."""

Points = NDArray[np.float32]
Grey = NDArray[np.uint8]


class Follower:
    """Remembers the last picture; frames must come in order."""

    def __init__(self) -> None:
        self._last: Grey | None = None
        self._scale = 1.0

    def look(self, image: Image) -> None:
        """Take a (H, W, 3) BGR picture in which the faces were just detected."""
        self._last = self._small(image)

    def follow(self, image: Image, boxes: list[Box]) -> list[Box | None]:
        """Where the boxes of the last picture are in this one; None for a face that was lost."""
        before, now = self._last, self._small(image)
        self._last = now
        if before is None or before.shape != now.shape:
            return [None] * len(boxes)
        return [self._moved(before, now, box) for box in boxes]

    def _small(self, image: Image) -> Grey:
        height, width = image.shape[:2]
        self._scale = min(WIDTH / width, 1.0)
        size = (max(round(width * self._scale), 1), max(round(height * self._scale), 1))
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _moved(self, before: Grey, now: Grey, box: Box) -> Box | None:
        start = _grid(box) * np.float32(self._scale)
        end, there, _ = cv2.calcOpticalFlowPyrLK(before, now, start, None, **FLOW)
        back, here, _ = cv2.calcOpticalFlowPyrLK(now, before, end, None, **FLOW)
        error = np.linalg.norm((start - back)[:, 0], axis=1)
        good = (there[:, 0] > 0) & (here[:, 0] > 0) & (error <= max(float(np.median(error)), 0.5))
        if int(good.sum()) < LEAST_POINTS or float(np.median(error[good])) > 1.0:
            return None
        moved = self._placed(box, start[good, 0], end[good, 0])
        if moved is None or _alike(before, box, now, moved, self._scale) < LEAST_ALIKE:
            return None
        return moved

    def _placed(self, box: Box, start: Points, end: Points) -> Box | None:
        move = np.median(end - start, axis=0) / self._scale
        one, other = np.triu_indices(len(start), 1)
        grown = np.linalg.norm(end[one] - end[other], axis=1)
        growth = float(np.median(grown / np.linalg.norm(start[one] - start[other], axis=1)))
        if not 1 / MOST_GROWTH <= growth <= MOST_GROWTH:
            return None
        x = (box.left + box.right) / 2 + float(move[0])
        y = (box.top + box.bottom) / 2 + float(move[1])
        width, height = box.width * growth, box.height * growth
        left, top = round(x - width / 2), round(y - height / 2)
        return Box(left, top, left + max(round(width), 1), top + max(round(height), 1))


def _alike(before: Grey, old: Box, now: Grey, new: Box, scale: float) -> float:
    """Correlation of two patches, -1 to 1."""
    patches = []
    for picture, box in ((before, old), (now, new)):
        middle = ((box.left + box.right) * scale / 2, (box.top + box.bottom) * scale / 2)
        inner = INNER[1] - INNER[0]
        size = (max(round(box.width * scale * inner), 2), max(round(box.height * scale * inner), 2))
        patch = cv2.getRectSubPix(picture, size, middle)
        patches.append(cv2.resize(patch, PATCH, interpolation=cv2.INTER_AREA))
    return float(cv2.matchTemplate(patches[0], patches[1], cv2.TM_CCOEFF_NORMED)[0, 0])


def _grid(box: Box) -> Points:
    """(25, 1, 2) points x, y in the inner part of a box."""
    x = np.linspace(box.left + INNER[0] * box.width, box.left + INNER[1] * box.width, GRID)
    y = np.linspace(box.top + INNER[0] * box.height, box.top + INNER[1] * box.height, GRID)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 1, 2).astype(np.float32)

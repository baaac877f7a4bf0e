"""What a preview may show: the room as through frosted glass, every face in a few blocks.

No detector finds every face: what it misses is as vague as the rest of the picture, and where it
fails all of it is vaguer still. Blur alone is no anonymity, but a face of few enough blocks is gone
(EDPB Guidelines 3/2019).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

import cv2
import numpy as np

from edge_fer.emotions import UNCERTAIN
from edge_fer.types import Box, Image, Prediction

MODES = ("faces", "boxes")
"""A picture without faces; outlines without a picture."""
LARGEST = 640
"""Pixels of the longer side."""
PERIOD_S = 0.2
"""At least so long from one picture to the next."""
FACE_BLOCKS = 4
"""Across a face."""
MARGIN = 0.25
"""Of a face's box, added on every side: ears and hair belong to a face too."""
REMEMBERED_S = 1.0
"""A face stays hidden where it was, in case that it is still there but not found."""
GRAIN = np.random.default_rng(0).normal(0, 16, (LARGEST, LARGEST, 1)).astype(np.int16).repeat(3, 2)
"""Grey levels."""
ROOM_CELLS, FAILED_CELLS = 48, 16
"""Details across the picture that are left of the room, and of all where detection failed."""
JPEG_QUALITY = 70
GROUND, LINE = (32, 26, 22), (160, 190, 120)
"""BGR, of outlines without a picture."""


class Preview:
    """Makes at most five pictures a second of all the frames that it is shown; used in one thread.

    Raises ValueError for an unknown mode.
    """

    def __init__(self, mode: str, clock: Callable[[], float] = monotonic) -> None:
        if mode not in MODES:
            raise ValueError(f"preview is {mode!r}, expected faces or boxes")
        self._mode, self._clock = mode, clock
        self._seen: deque[tuple[float, Box]] = deque()
        self._next = float("-inf")

    def picture(
        self,
        image: Image,
        predictions: Sequence[Prediction] | None,
        watched: bool,
        others: Sequence[Box] | None = (),
    ) -> Image | None:
        """A new (h, w, 3) BGR picture of a frame; None when it is not time, or nobody watches.

        `predictions` is None where detection failed; `others` are found faces without a
        prediction, None where such may be anywhere.
        """
        now = self._clock()
        self._remember([*(one.face.box for one in predictions or ()), *(others or ())], now)
        if not watched or now < self._next:
            return None
        self._next = now + PERIOD_S
        if self._mode == "boxes":
            return outlined(image.shape[:2], predictions or ())
        unknown = predictions is None or others is None
        return veiled(image, [box for _, box in self._seen], unknown)

    def _remember(self, boxes: Sequence[Box], now: float) -> None:
        self._seen.extend((now, box) for box in boxes)
        while self._seen and self._seen[0][0] < now - REMEMBERED_S:
            self._seen.popleft()


def veiled(image: Image, faces: Sequence[Box], failed: bool = False) -> Image:
    """A copy of a (H, W, 3) image that shows nobody; `failed` where faces may be anywhere."""
    picture = _frosted(_fitted(image), FAILED_CELLS if failed else ROOM_CELLS)
    scale = picture.shape[1] / image.shape[1]
    for box in faces:
        part = picture[_slices(box, scale)]
        if part.size:
            part[:] = _blocks(part)
    return picture


def outlined(shape: tuple[int, ...], predictions: Sequence[Prediction]) -> Image:
    """Outlines and expressions on an even ground: not one pixel of a (H, W) frame."""
    height, width = shape[:2]
    scale = min(LARGEST / max(height, width), 1.0)
    picture = np.full((round(height * scale), round(width * scale), 3), GROUND, np.uint8)
    for one in predictions:
        box = one.face.box
        left, top, right, bottom = (
            round(x * scale) for x in (box.left, box.top, box.right, box.bottom)
        )
        cv2.rectangle(picture, (left, top), (right, bottom), LINE, 2, cv2.LINE_AA)
        name = one.label.label if one.label is not None else UNCERTAIN
        place = (left, top - 6 if top > 18 else bottom + 18)
        cv2.putText(picture, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, LINE, 1, cv2.LINE_AA)
    return picture


def jpeg(picture: Image) -> bytes:
    """The picture as JPEG."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data)


def _fitted(image: Image) -> Image:
    scale = min(LARGEST / max(image.shape[:2]), 1.0)
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _frosted(picture: Image, cells: int) -> Image:
    """The same with so many details across its longer side."""
    height, width = picture.shape[:2]
    scale = cells / max(height, width)
    few = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(picture, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _blocks(part: Image) -> Image:
    """The same in few blocks, with a grain: even blocks still resemble an even face."""
    height, width = part.shape[:2]
    size = (min(FACE_BLOCKS, width), min(FACE_BLOCKS, height))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    blocks = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.add(blocks, GRAIN[:height, :width], dtype=cv2.CV_8U), np.uint8)


def _slices(box: Box, scale: float) -> tuple[slice, slice]:
    """Rows and columns of a box with its margin, inside the picture."""
    across, down = MARGIN * box.width, MARGIN * box.height
    rows = max(round((box.top - down) * scale), 0), max(round((box.bottom + down) * scale), 0)
    columns = (
        max(round((box.left - across) * scale), 0),
        max(round((box.right + across) * scale), 0),
    )
    return slice(*rows), slice(*columns)

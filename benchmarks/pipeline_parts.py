"""Parts that a measured daemon runs with: a live camera of a clip, and a fast engine and detector.

`install` puts them into the tables of a process of its own; no other process knows them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from edge_fer.bundle import Bundle
from edge_fer.cameras import CAMERAS
from edge_fer.cameras.latest import Latest
from edge_fer.detectors import DETECTORS
from edge_fer.emotions import LABELS
from edge_fer.engines import ENGINES
from edge_fer.errors import BadData
from edge_fer.types import Box, Face, FaceBatch, Frame, Image, ScoreBatch

CLIP, FPS, PACE = "EDGE_FER_BENCH_CLIP", "EDGE_FER_BENCH_FPS", "EDGE_FER_BENCH_PACE"
"""Environment variables: a video, its frames per second, and `fast` for as fast as it goes."""


def install() -> None:
    """Make the parts known in this process."""
    CAMERAS["clip"] = f"{__name__}:ClipCamera"
    if os.environ.get(PACE) == "fast":
        DETECTORS["blazeface"] = DETECTORS["haar"] = f"{__name__}:FastDetector"
        ENGINES["tflite"] = ENGINES["openvino"] = f"{__name__}:FastEngine"


def endless(path: str) -> Iterator[Image]:
    """The frames of a video again and again, (H, W, 3) BGR, decoded one by one as a camera's are.

    Raises BadData for what is no video.
    """
    while True:
        video = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        good, image = video.read()
        if not good:
            raise BadData(f"{path}: not a video that OpenCV can read")
        while good:
            yield np.asarray(image, np.uint8)
            good, image = video.read()
        video.release()


@contextmanager
def read_ahead(path: str) -> Iterator[Iterator[Frame]]:
    """The frames of a video again and again, read as the daemon reads: one ahead, by a thread."""
    camera = Latest(_Endless(path))
    try:
        yield iter(camera)
    finally:
        camera.close()


class _Endless:
    """A camera that waits for its consumer."""

    live = False

    def __init__(self, path: str) -> None:
        self._path, self._closed = path, False

    def __iter__(self) -> Iterator[Frame]:
        for index, image in enumerate(endless(self._path)):
            if self._closed:
                return
            yield Frame(image, index, time.monotonic(), time.time())

    def close(self) -> None:
        """End it."""
        self._closed = True


class ClipCamera:
    """A clip again and again: at its frame rate as a live camera, or as fast as it is read."""

    def __init__(self, argument: str) -> None:
        self.live = os.environ.get(PACE) != "fast"
        self._fps = float(os.environ[FPS])
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        start = time.monotonic()
        for index, image in enumerate(endless(os.environ[CLIP])):
            wait = start + index / self._fps - time.monotonic() if self.live else 0.0
            if self._closed.wait(wait) if wait > 0 else self._closed.is_set():
                return
            yield Frame(image, index, time.monotonic(), time.time())

    def close(self) -> None:
        """End it."""
        self._closed.set()


class FastDetector:
    """Two faces that move a little, in no time."""

    def __init__(self) -> None:
        self._turn = 0

    def detect(self, image: Image) -> list[Face]:
        """The same places, a few pixels on."""
        self._turn += 1
        shift = self._turn % 20
        return [Face(Box(x + shift, 100, x + shift + 150, 250), 0.9) for x in (60, 360)]


class FastEngine:
    """The same scores for every face, in no time."""

    precision = "int8"
    runtime = "fast 1.0"
    device = "CPU"

    def __init__(self, bundle: Bundle, threads: int, device: str | None = None) -> None:
        self._row = np.linspace(1, 2, len(LABELS), dtype=np.float32)
        self._row /= self._row.sum()

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """(N, H, W, 3) uint8 BGR to (N, 7) float32 probabilities."""
        return np.repeat(self._row[None], len(faces), axis=0)

"""Every frame of a video file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_fer.errors import BadData, ConfigError, NotFound
from edge_fer.types import Frame, Image


class VideoCamera:
    """A video file, read as fast as its consumer asks, by the FFmpeg in OpenCV's wheels."""

    live = False

    def __init__(self, path: str) -> None:
        if not path:
            raise ConfigError("video: needs a file, such as video:clip.mp4")
        if not Path(path).is_file():
            raise NotFound(f"{path}: no such video file")
        self._closed = False
        self._video = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        # A file may open and yet hold no frame: only a decoded one proves that it is a video.
        self._first = self._read()
        if self._first is None:
            self._video.release()
            raise BadData(f"{path}: not a video that OpenCV can read, or it has no frame")

    def __iter__(self) -> Iterator[Frame]:
        image, self._first = self._first, None
        index = 0
        while image is not None and not self._closed:
            yield Frame(image, index, time.monotonic(), time.time())
            image, index = self._read(), index + 1
        self._video.release()

    def close(self) -> None:
        """Stop before the next frame."""
        self._closed = True

    def _read(self) -> Image | None:
        """The next frame, or None at the end."""
        good, image = self._video.read()
        return np.asarray(image, np.uint8) if good else None

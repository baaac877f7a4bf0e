"""The newest frame only: a camera runs in a thread; what nobody took is replaced and counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic

from edge_fer.protocols import Camera
from edge_fer.types import Frame

CLOSE_S = 5.0
"""Longest wait of `close`; a driver can hang for ever (picamera2#1275)."""


class Latest:
    """A camera read ahead by one frame; a live one never waits for its consumer."""

    dropped: int
    """Frames replaced by newer ones before they were taken."""

    def __init__(self, camera: Camera) -> None:
        self.live = camera.live
        self.dropped = 0
        self._camera = camera
        self._frame: Frame | None = None
        self._error: BaseException | None = None
        self._finished = self._closed = False
        self._change = threading.Condition()
        self._threads = [threading.Thread(target=self._run, name="camera", daemon=True)]
        self._threads[0].start()

    gone = True
    """What it held, this process may open again."""

    def left_out(self) -> dict[str, int]:
        """Frames dropped for another reason than a newer one: none."""
        return {}

    @property
    def ended(self) -> bool:
        """True when the camera has ended or was closed, and its last frame has been taken."""
        return self._finished and self._frame is None

    def next(self, timeout: float) -> Frame | None:
        """The newest frame not yet taken; None after `timeout` seconds or when `ended`.

        Raises the camera's own error, once the frames before it have been taken.
        """
        with self._change:
            self._change.wait_for(lambda: self._frame or self._finished, timeout)
            frame, self._frame = self._frame, None
            self._change.notify_all()
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def __iter__(self) -> Iterator[Frame]:
        """Frames until the camera ends; a frame is the newest at the time it is asked for."""
        while not self.ended:
            frame = self.next(timeout=1.0)
            if frame is not None:
                yield frame
        self.next(timeout=0)

    def close(self) -> None:
        """Close the camera; returns within 5 s even if its driver hangs."""
        with self._change:
            already, self._closed, self._finished = self._closed, True, True
            self._frame = None
            self._change.notify_all()
        if not already:
            self._threads.append(threading.Thread(target=self._camera.close, daemon=True))
            self._threads[-1].start()
        deadline = monotonic() + CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _run(self) -> None:
        """The thread: hand over every frame, then say how it ended."""
        error: BaseException | None = None
        try:
            for frame in self._camera:
                if not self._offer(frame):
                    break
        except BaseException as raised:
            error = raised
        with self._change:
            self._error = None if self._closed else error
            self._finished = True
            self._change.notify_all()

    def _offer(self, frame: Frame) -> bool:
        """Put a frame into the slot; False when closed."""
        with self._change:
            if not self.live:
                self._change.wait_for(lambda: self._frame is None or self._closed)
            if self._closed:
                return False
            self.dropped += self._frame is not None
            self._frame = frame
            self._change.notify_all()
            return True

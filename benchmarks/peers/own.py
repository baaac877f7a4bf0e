"""The far end for a bundle that watches frames: as the daemon does, but each frame by itself.

The faces of every frame are detected, cut and classified. Nothing is smoothed over time and no
frame is passed over, which the daemon does both: the other packages know neither.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import cv2
import numpy as np

from benchmarks.worker import Worker, private_stdout, serve
from edge_fer.detectors import open_detector
from edge_fer.pipeline import Recognizer
from edge_fer.types import FaceBatch, Frame, Prediction

OPENCV_THREADS = 2
"""As the daemon sets it."""


class Watcher(Worker):
    """A bundle with the default detector; what it is asked to time are frames."""

    def load(
        self, role: str, path: str, cores: list[int], precision: str = "fp32"
    ) -> dict[str, Any]:
        """Make the engine ready, then the detector."""
        answer = super().load(role, path, cores, precision)
        began = time.perf_counter_ns()
        cv2.setNumThreads(OPENCV_THREADS)
        size = answer["model"]["input_size"]
        self._recognizer = Recognizer(open_detector(), self._engine, size, smoothing_s=0.0)
        answer["load_ms"] += (time.perf_counter_ns() - began) / 1e6
        self._number = 0
        return answer

    def watch(self, start: int, stop: int) -> dict[str, Any]:
        """The faces found in each of some frames: their boxes and scores."""
        shown = (self._predictions(self._picture(i)) for i in range(start, stop))
        return {"seen": [[_plain(one) for one in frame] for frame in shown]}

    def _infer(self, faces: FaceBatch) -> None:
        for frame in faces:
            self._predictions(frame)

    def _predictions(self, image: Any) -> tuple[Prediction, ...]:
        self._number += 1
        frame = Frame(image, self._number, time.monotonic(), time.time())
        return self._recognizer.recognize(frame).predictions


def _plain(found: Prediction) -> list[list[float]]:
    box = found.face.box
    return [[box.left, box.top, box.right, box.bottom], np.asarray(found.scores).tolist()]


if __name__ == "__main__":
    serve(sys.stdin, private_stdout(), Watcher())

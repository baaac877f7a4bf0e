"""From a frame to what was recognised in its faces: detect, track, crop, infer, smooth, abstain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_fer.config import SMOOTHING_S
from edge_fer.emotions import Emotion
from edge_fer.errors import NotFinite
from edge_fer.finding import Finder, Search
from edge_fer.preprocess import crop_face
from edge_fer.protocols import Engine, FaceDetector
from edge_fer.tracking import Tracker
from edge_fer.types import Box, Face, FaceBatch, Frame, Image, Prediction, ScoreBatch

HALF_BLURRED = 100.0
"""Variance of the Laplacian that is called a blur of 0.5 (the usual limit of "sharp")."""
TOLERANCE = 0.02
"""Largest distance of a face's sum from 1; an engine scales its own to 1 after the same check."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """One analysed frame."""

    frame: Frame
    predictions: tuple[Prediction, ...]
    """The largest face first."""
    faces_total: int
    """Faces found, also those beyond the limit."""
    detect_ms: float
    """Detecting faces, or following them."""
    classify_ms: float
    """Crop, inference and smoothing of all faces together."""
    others: tuple[Box, ...] | None = ()
    """Where the people are who are left alone; None where nobody knows."""

    @property
    def truncated(self) -> bool:
        """True when faces were left out."""
        return self.faces_total > len(self.predictions)


class Recognizer:
    """Detector and engine as one; keeps the tracks, so frames must come in order."""

    def __init__(
        self,
        detector: FaceDetector,
        engine: Engine,
        input_size: int,
        abstain_below: float = 0.0,
        smoothing_s: float = SMOOTHING_S,
        tracker: Tracker | None = None,
        search: Search | None = None,
    ) -> None:
        self._engine = engine
        self._abstain_below = abstain_below
        self._tracker = tracker or Tracker()
        search = search or Search(detect_every=1)
        self._finder = Finder(detector, search, self._tracker)
        self._smoother = Smoother(smoothing_s)
        # Filled anew for every frame: no allocation while running.
        self._faces: FaceBatch = np.empty((search.most_faces, input_size, input_size, 3), np.uint8)

    def recognize(self, frame: Frame) -> Recognition:
        """Analyse one frame; raises EngineError when the engine gives no probabilities."""
        found = self._finder.find(frame)
        start = perf_counter()
        predictions = self._predictions(frame, found.faces)
        classify_ms = 1000 * (perf_counter() - start)
        return Recognition(
            frame, predictions, found.total, found.detect_ms, classify_ms, found.others
        )

    def _predictions(self, frame: Frame, faces: Sequence[Face]) -> tuple[Prediction, ...]:
        self._smoother.keep(self._tracker.alive)
        if not faces:
            return ()
        batch = self._cropped(frame.image, faces)
        scores = _probabilities(self._engine.infer(batch))
        return tuple(
            self._prediction(face, crop, row, frame.captured)
            for face, crop, row in zip(faces, batch, scores, strict=True)
        )

    def _cropped(self, image: Image, faces: Sequence[Face]) -> FaceBatch:
        """A view of the reused batch that holds the faces."""
        batch = self._faces[: len(faces)]
        for face, place in zip(faces, batch, strict=True):
            place[:] = crop_face(image, face.box, batch.shape[1])
        return batch

    def _prediction(
        self, face: Face, crop: Image, row: NDArray[np.float32], captured: float
    ) -> Prediction:
        scores = self._smoother.smooth(face.track, row, captured)
        best = int(scores.argmax())
        label = Emotion(best) if scores[best] >= self._abstain_below else None
        return Prediction(face, scores, label, blur(crop))


class Smoother:
    """Exponential smoothing of each track's scores over time, not over frames."""

    def __init__(self, time_constant_s: float) -> None:
        self._time_constant_s = time_constant_s
        self._last: dict[int, tuple[NDArray[np.float32], float]] = {}

    def smooth(
        self, track: int | None, scores: NDArray[np.float32], captured: float
    ) -> NDArray[np.float32]:
        """(7,) scores mixed with the track's earlier ones; what sums to 1 still does."""
        if track is None or not self._time_constant_s:
            return scores.copy()
        before, then = self._last.get(track, (scores, captured))
        share = 1 - math.exp(-max(captured - then, 0.0) / self._time_constant_s)
        mixed = np.asarray(before + np.float32(share) * (scores - before), np.float32)
        self._last[track] = (mixed, max(captured, then))
        return mixed

    def keep(self, tracks: set[int]) -> None:
        """Forget all tracks but these."""
        self._last = {track: last for track, last in self._last.items() if track in tracks}


def blur(face: Image) -> float:
    """How little detail a (H, W, 3) BGR face has: 0 is sharp, 1 is flat.

    1 / (1 + v / 100), where v is the variance of the Laplacian of the grey face (Pech-Pacheco et
    al., ICPR 2000). It falls with contrast too, so it compares faces, it measures no optics.
    """
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return 1 / (1 + float(deviation[0, 0]) ** 2 / HALF_BLURRED)


def _probabilities(scores: ScoreBatch) -> ScoreBatch:
    """The scores themselves; plausible numbers must never come of NaN, nor of anything else."""
    # Of so few numbers Python knows all faster than NumPy; a sum with NaN fails the comparison.
    if all(min(row) >= 0 and abs(sum(row) - 1) <= TOLERANCE for row in scores.tolist()):
        return scores
    if not np.isfinite(scores).all():
        raise NotFinite("the engine gave scores that are not finite; reconvert the bundle")
    raise NotFinite("the engine gave scores that are no probabilities; reconvert the bundle")

"""What every engine checks of a batch before and of scores after."""

from __future__ import annotations

import numpy as np

from edge_fer.emotions import LABELS
from edge_fer.errors import EngineError, NotFinite
from edge_fer.types import FaceBatch, ScoreBatch

TOLERANCE = 0.02
"""Largest distance of a row's sum from 1: seven INT8 scores may each be off by half a step."""


def checked_faces(faces: FaceBatch, size: int) -> FaceBatch:
    """The batch itself; raises ValueError unless it is (N, size, size, 3) uint8."""
    if faces.dtype != np.uint8 or faces.ndim != 4 or faces.shape[1:] != (size, size, 3):
        raise ValueError(
            f"faces are {faces.dtype} {faces.shape}, need uint8 (N, {size}, {size}, 3)"
        )
    return faces


def checked_scores(scores: ScoreBatch, model: str) -> ScoreBatch:
    """Rows scaled to sum 1; raises NotFinite for NaN, infinity or rows that are no scores."""
    if scores.shape[1:] != (len(LABELS),):
        raise EngineError(
            f"{model}: gave scores of shape {scores.shape}, expected (N, {len(LABELS)})"
        )
    for number, row in enumerate(scores.tolist()):
        # Plain floats: seven of them are summed in the time that numpy takes to begin.
        total = sum(row)
        # Not `>`: a NaN, and infinity with it, fails every comparison.
        if not abs(total - 1) <= TOLERANCE:
            raise NotFinite(f"{model}: gave scores that are no probabilities; reconvert the bundle")
        scores[number] = [score / total for score in row]
    return scores

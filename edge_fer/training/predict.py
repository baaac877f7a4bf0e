"""What a checkpoint itself answers, in float32: the parent that every bundle is compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import keras
import numpy as np

from edge_fer.datasets.faces import faces_of
from edge_fer.progress import Progress
from edge_fer.training.calibrate import softmax
from edge_fer.training.checkpoint import Checkpoint, set_weights
from edge_fer.training.model import build
from edge_fer.types import FaceBatch, Sample, ScoreBatch

BATCH = 64
Cut = Callable[[Sequence[Sample], int], FaceBatch]


def float_model(checkpoint: Checkpoint) -> keras.Model:
    """(N, size, size, 3) BGR bytes to (N, 7) logits, in float32 whatever the training used."""
    keras.mixed_precision.set_global_policy("float32")
    model = build(checkpoint.recipe.architecture)
    set_weights(model, checkpoint.weights)
    return model


def predict(
    checkpoint: Checkpoint, faces: FaceBatch, progress: Callable[[int, int], None]
) -> ScoreBatch:
    """(N, 7) calibrated probabilities of (N, size, size, 3) uint8 faces."""
    found = _logits(checkpoint, lambda start: faces[start : start + BATCH], len(faces), progress)
    return _scores(checkpoint, found)


def predict_samples(
    checkpoint: Checkpoint, samples: Sequence[Sample], progress: Progress, cut: Cut = faces_of
) -> ScoreBatch:
    """(N, 7) calibrated probabilities of samples, of which few are in memory at once.

    `cut` makes (N, size, size, 3) faces of samples and a size.
    """
    return _scores(checkpoint, logits_of(checkpoint, samples, progress, cut))


def logits_of(
    checkpoint: Checkpoint, samples: Sequence[Sample], progress: Progress, cut: Cut = faces_of
) -> ScoreBatch:
    """(N, 7) logits of samples, before the temperature: what a calibration is fitted to."""
    size = checkpoint.recipe.architecture.size
    return _logits(
        checkpoint,
        lambda start: cut(samples[start : start + BATCH], size),
        len(samples),
        partial(progress, "faces"),
    )


def _scores(checkpoint: Checkpoint, logits: ScoreBatch) -> ScoreBatch:
    return np.asarray(softmax(logits / checkpoint.temperature), np.float32)


def _logits(
    checkpoint: Checkpoint,
    batch: Callable[[int], FaceBatch],
    count: int,
    progress: Callable[[int, int], None],
) -> ScoreBatch:
    model = float_model(checkpoint)
    parts = []
    for start in range(0, count, BATCH):
        logits = model.predict_on_batch(_padded(batch(start)))
        parts.append(np.asarray(logits)[: count - start])
        progress(min(start + BATCH, count), count)
    return np.concatenate(parts)


def _padded(faces: FaceBatch) -> FaceBatch:
    """A whole batch: another size would compile the network once more."""
    missing = BATCH - len(faces)
    return np.concatenate([faces, np.repeat(faces[-1:], missing, 0)]) if missing else faces

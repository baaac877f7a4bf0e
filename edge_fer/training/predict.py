"""What a checkpoint itself answers, in float32: the parent that every bundle is compared with."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from edge_fer.training.checkpoint import Checkpoint, set_weights
from edge_fer.training.model import build
from edge_fer.training.temperature import softmax
from edge_fer.types import FaceBatch, ScoreBatch

BATCH = 64


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
    model = float_model(checkpoint)
    parts = []
    for start in range(0, len(faces), BATCH):
        logits = model.predict_on_batch(_padded(faces[start : start + BATCH]))
        parts.append(np.asarray(logits)[: len(faces) - start])
        progress(min(start + BATCH, len(faces)), len(faces))
    return np.asarray(softmax(np.concatenate(parts) / checkpoint.temperature), np.float32)


def _padded(faces: FaceBatch) -> FaceBatch:
    """A whole batch: another size would compile the network once more."""
    missing = BATCH - len(faces)
    return np.concatenate([faces, np.repeat(faces[-1:], missing, 0)]) if missing else faces

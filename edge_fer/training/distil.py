"""A network that learns from another one's answers (Hinton, Vinyals and Dean, 2015).

Either both see the same changed face and the teacher answers in every step, or it has answered
every face once before the first: the recipe's `distil_faces`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from edge_fer.datasets import list_hash
from edge_fer.emotions import LABELS
from edge_fer.errors import ConfigError
from edge_fer.progress import Progress
from edge_fer.storage import write_file
from edge_fer.training.calibrate import softmax
from edge_fer.training.checkpoint import Checkpoint, set_weights
from edge_fer.training.model import build
from edge_fer.training.predict import predict_samples
from edge_fer.training.recipe import Recipe
from edge_fer.types import Sample

Loss = Callable[[Any, Any], Any]
MOST_PARAMETERS = 6_000_000
"""Of a student: what small boards have room and time for."""
TINY = 1e-12
"""Stands for a score of 0, which has no logarithm."""


def beside(student: keras.Model, teacher: Checkpoint) -> keras.Model:
    """(N, size, size, 3) bytes to (N, 14): the student's logits, then those of the teacher.

    Raises ConfigError for a student that is too large for what it is for.
    """
    if student.count_params() > MOST_PARAMETERS:
        raise ConfigError(
            f"a student of {student.count_params():,} parameters is no small one: at most "
            f"{MOST_PARAMETERS:,}; choose a smaller --student"
        )
    architecture = teacher.recipe.architecture
    network = build(architecture)
    set_weights(network, teacher.weights)
    network.trainable = False
    image = student.input
    if image.shape[1] != architecture.size:
        size = architecture.size
        image = layers.Resizing(size, size, dtype="float32", name="for_teacher")(image)
    both = layers.Concatenate(dtype="float32", name="both")
    answers = both([student.output, network(image, training=False)])
    return keras.Model(student.input, answers, name="distillation")


def plain_answers(
    teacher: Checkpoint, samples: Sequence[Sample], recipe: Recipe, folder: Path, progress: Progress
) -> np.ndarray:
    """(N, 7) float32: the teacher's answers to all faces as they are, at the recipe's temperature.

    Kept in `folder`, so that a run that goes on learns from the same ones to the last bit.
    Raises StorageError.
    """
    said = f"{teacher.sha256} {list_hash(samples)} {recipe.distil_temperature}"
    path = folder / f"answers-{hashlib.sha256(said.encode()).hexdigest()[:16]}.npy"
    if path.is_file():
        return np.asarray(np.load(path, allow_pickle=False))
    told: Progress = partial(_told, progress)
    scores = predict_samples(teacher, samples, told)
    logits = np.log(np.maximum(scores, TINY)) * teacher.temperature
    answers = softmax(logits / recipe.distil_temperature).astype(np.float32)
    content = io.BytesIO()
    np.save(content, answers)
    write_file(path, content.getvalue())
    return answers


def _told(progress: Progress, what: str, done: int, total: int, note: str = "") -> None:
    progress("teacher", done, total, note)


def loss(recipe: Recipe) -> Loss:
    """Of labels and logits as `recipe.distil_faces` has them: (N,) mixed cross-entropies.

    "changed": (N, 7) labels and the (N, 14) logits of `beside`; "plain": (N, 14), labels and then
    the teacher's answers, and (N, 7) logits. The soft part is multiplied by the temperature's
    square, which keeps its gradients as large.
    """
    heat, share = recipe.distil_temperature, recipe.distil_share
    smoothing = recipe.label_smoothing

    def mixed(labels: Any, answers: Any) -> Any:
        own = answers[:, : len(LABELS)]
        if recipe.distil_faces == "plain":
            wanted = labels[:, len(LABELS) :]
        else:
            wanted = ops.softmax(answers[:, len(LABELS) :] / heat)
        smooth = labels[:, : len(LABELS)] * (1 - smoothing) + smoothing / len(LABELS)
        hard = ops.categorical_crossentropy(smooth, own, from_logits=True)
        soft = ops.categorical_crossentropy(wanted, own / heat, from_logits=True)
        return share * heat**2 * soft + (1 - share) * hard

    return mixed


def accuracy(labels: Any, answers: Any) -> Any:
    """(N,) 1 where the learner's answer is the label; Keras reports their mean."""
    own, wanted = (ops.argmax(x[:, : len(LABELS)], axis=1) for x in (answers, labels))
    return ops.cast(ops.equal(own, wanted), "float32")

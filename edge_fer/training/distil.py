"""A small network that learns from a large one's answers (Hinton, Vinyals and Dean, 2015).

Both see the same changed face (Beyer et al., CVPR 2022): the teacher answers in every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from edge_fer.emotions import LABELS
from edge_fer.errors import ConfigError
from edge_fer.training.checkpoint import Checkpoint, set_weights
from edge_fer.training.model import build
from edge_fer.training.recipe import Recipe

Loss = Callable[[Any, Any], Any]
MOST_PARAMETERS = 6_000_000
"""Of a student: what small boards have room and time for."""


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


def loss(recipe: Recipe) -> Loss:
    """Of (N, 7) labels and the (N, 14) logits of `beside`: (N,) mixed cross-entropies.

    The soft part is multiplied by the temperature's square, which keeps its gradients as large.
    """
    heat, share = recipe.distil_temperature, recipe.distil_share
    smoothing = recipe.label_smoothing

    def mixed(labels: Any, answers: Any) -> Any:
        own, others = answers[:, : len(LABELS)], answers[:, len(LABELS) :]
        smooth = labels * (1 - smoothing) + smoothing / len(LABELS)
        hard = ops.categorical_crossentropy(smooth, own, from_logits=True)
        wanted = ops.softmax(others / heat)
        soft = ops.categorical_crossentropy(wanted, own / heat, from_logits=True)
        return share * heat**2 * soft + (1 - share) * hard

    return mixed


def accuracy(labels: Any, answers: Any) -> Any:
    """(N,) 1 where the student's answer is the label; Keras reports their mean."""
    own = ops.argmax(answers[:, : len(LABELS)], axis=1)
    return ops.cast(ops.equal(own, ops.argmax(labels, axis=1)), "float32")

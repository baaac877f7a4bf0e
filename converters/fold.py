"""Bytes in, probabilities out, at no cost: what lies between goes into the weights."""

from __future__ import annotations

import keras
import numpy as np

from edge_fer.training.checkpoint import Checkpoint, Weights, set_weights
from edge_fer.training.model import build, colour_matrix
from edge_fer.training.recipe import Architecture

FIRST, FIRST_NORM, HEAD = "block1_conv1", "block1_conv1_bn", "head"
CORE = "xception"


def folded_model(checkpoint: Checkpoint) -> keras.Model:
    """The checkpoint as (1, size, size, 3) float32 BGR bytes 0..255 to (1, 7) probabilities.

    Exact but for rounding: the first convolution has no bias and no padding, so
    conv(M x / 127.5 - 1) = conv'(x) - sum(w), and the sum moves into the batch norm behind it.
    """
    return model_of(fold(checkpoint), checkpoint.recipe.architecture)


def model_of(weights: Weights, architecture: Architecture) -> keras.Model:
    """The network of folded weights, however they were changed since."""
    keras.mixed_precision.set_global_policy("float32")
    core = build(architecture, normalise=False)
    set_weights(core, weights)
    size = architecture.size
    faces = keras.Input((size, size, 3), batch_size=1, dtype="float32", name="faces")
    scores = keras.layers.Softmax(name="scores")(core(faces))
    return keras.Model(faces, scores, name="edge_fer")


def with_betas(model: keras.Model, weights: Weights) -> keras.Model:
    """A folded model with the batch norms' shifts of `weights`; the model itself is changed."""
    for layer in model.get_layer(CORE).layers:
        if f"{layer.name}/beta" in weights:
            layer.beta.assign(weights[f"{layer.name}/beta"])
    return model


def fold(checkpoint: Checkpoint) -> Weights:
    """The weights of a network without its own normalisation and with T = 1."""
    weights = dict(checkpoint.weights)
    kernel = weights[f"{FIRST}/kernel"].astype(np.float64)  # (3, 3, RGB, channels)
    matrix = colour_matrix(checkpoint.recipe.architecture.colour).astype(np.float64)
    folded = np.einsum("bc,ijco->ijbo", matrix / 127.5, kernel)
    weights[f"{FIRST}/kernel"] = folded.astype(np.float32)
    mean = weights[f"{FIRST_NORM}/moving_mean"]
    weights[f"{FIRST_NORM}/moving_mean"] = (mean + kernel.sum((0, 1, 2))).astype(np.float32)
    for name in (f"{HEAD}/kernel", f"{HEAD}/bias"):
        weights[name] = weights[name] / np.float32(checkpoint.temperature)
    return weights

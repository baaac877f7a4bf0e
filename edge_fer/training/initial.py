"""Where a run starts: ImageNet weights, an earlier checkpoint, or chance."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import keras

from edge_fer.errors import CheckpointError, NotFound
from edge_fer.training.checkpoint import Checkpoint, Weights, set_weights, weights_of
from edge_fer.training.lineage import lineage, named
from edge_fer.training.narrow import narrowed
from edge_fer.training.recipe import SMALLEST_SIDE, Architecture

WORDS = ("random", "imagenet")
"""What is no path."""
SHORTCUTS = ("block2", "block3", "block4", "block13")
"""Blocks whose 1x1 shortcut Keras Applications leaves without a name, in its order."""


def check(init: str) -> None:
    """Raise NotFound when `init` names a file or folder that is not there."""
    if init not in WORDS and not Path(init).exists():
        raise NotFound(f"{init}: no such weights file or checkpoint folder")


def identity(init: str) -> str:
    """What initial weights are, wherever they lie: a hash of their content, or the word for them.

    Raises NotFound or CheckpointError.
    """
    check(init)
    path = Path(init)
    if init in WORDS:
        return init
    if path.is_dir():
        return f"checkpoint {Checkpoint.load(path).sha256}"
    return f"file {hashlib.sha256(path.read_bytes()).hexdigest()}"


def initialise(model: keras.Model, init: str, architecture: Architecture) -> dict[str, Any]:
    """Put the initial weights into a network; returns what is to be recorded of them.

    `init`: "imagenet" (by Keras' own download), a Keras `.weights.h5` file of Xception without
    top, a checkpoint folder, or "random". Of a checkpoint that is wider or deeper the strongest
    part is taken. Raises NotFound or CheckpointError.
    """
    if init == "random":
        return {"init": "random", "lineage": []}
    if init == "imagenet" or init.endswith(".h5"):
        if architecture.width != 1 or architecture.middle_blocks != 8:
            raise CheckpointError("ImageNet weights fit only width 1 and 8 middle blocks")
        set_weights(model, {**weights_of(model), **_imagenet(init)})
        return {"init": "ImageNet (Keras Applications)", "lineage": []}
    checkpoint = Checkpoint.load(Path(init))
    if checkpoint.recipe.architecture.shape == architecture.shape:
        set_weights(model, checkpoint.weights)
        return {"init": named(checkpoint), "lineage": lineage(checkpoint)}
    set_weights(model, narrowed(checkpoint, architecture))
    return {"init": f"strongest channels of {named(checkpoint)}", "lineage": lineage(checkpoint)}


def _imagenet(source: str) -> Weights:
    """The published weights under this project's layer names."""
    check(source)
    shape = (SMALLEST_SIDE, SMALLEST_SIDE, 3)  # the kernels are the same at every size
    try:
        published = keras.applications.Xception(
            weights=source, include_top=False, input_shape=shape
        )
    except Exception as error:  # the download and the file reader raise whatever they meet
        raise CheckpointError(
            f"ImageNet weights from {source!r} cannot be read ({error}); "
            "give a Keras Xception .weights.h5 file without top: --init FILE"
        ) from error
    unnamed = {keras.layers.Conv2D: "shortcut", keras.layers.BatchNormalization: "shortcut_bn"}
    left = {kind: iter(SHORTCUTS) for kind in unnamed}
    weights: Weights = {}
    for layer in published.layers:
        if not layer.weights:
            continue
        name = layer.name
        if not name.startswith("block"):
            name = f"{next(left[type(layer)])}_{unnamed[type(layer)]}"
        for variable in layer.weights:
            weights[f"{name}/{variable.name}"] = variable.numpy()
    return weights

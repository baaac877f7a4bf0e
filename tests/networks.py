"""A small network with weights that no start value has, for tests of what is done to weights."""

from __future__ import annotations

import keras
import numpy as np

from converters.fold import model_of
from edge_fer.training.checkpoint import Checkpoint, Weights, weights_of
from edge_fer.training.model import build
from edge_fer.training.recipe import Architecture, Colour, Recipe
from edge_fer.types import FaceBatch, ScoreBatch

SMALL = {"size": 71, "width": 0.05, "middle_blocks": 0}


def small_checkpoint(
    colour: Colour, rng: np.random.Generator, **architecture: object
) -> Checkpoint:
    """Random weights of a small network whose batch norms are far from their start values."""
    keras.utils.set_random_seed(1)
    recipe = Recipe(Architecture(colour=colour, **{**SMALL, **architecture}))  # type: ignore[arg-type]
    weights = weights_of(build(recipe.architecture))
    for name, values in weights.items():
        if "moving_mean" in name or name.endswith(("beta", "bias")):
            weights[name] = rng.normal(0, 0.2, values.shape).astype(np.float32)
        if "moving_variance" in name or name.endswith("gamma"):
            weights[name] = rng.uniform(0.5, 1.5, values.shape).astype(np.float32)
    return Checkpoint(weights, recipe, temperature=1.7)


def scores_of(weights: Weights, checkpoint: Checkpoint, faces: FaceBatch) -> ScoreBatch:
    """What a network of folded weights says of faces, one at a time."""
    model = model_of(weights, checkpoint.recipe.architecture)
    return np.concatenate([np.asarray(model(face[None].astype(np.float32))) for face in faces])

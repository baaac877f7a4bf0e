"""Bytes in, probabilities out, and nothing else changed."""

import keras
import numpy as np
import pytest

from converters.fold import fold, folded_model
from edge_fer.training.checkpoint import Checkpoint, weights_of
from edge_fer.training.model import build
from edge_fer.training.predict import predict
from edge_fer.training.recipe import Architecture, Colour, Recipe

SMALL = {"size": 71, "width": 0.05, "middle_blocks": 0}


def checkpoint(colour: Colour, rng: np.random.Generator) -> Checkpoint:
    """Random weights of a small network whose batch norms are far from their start values."""
    keras.utils.set_random_seed(1)
    recipe = Recipe(Architecture(colour=colour, **SMALL))  # type: ignore[arg-type]
    weights = weights_of(build(recipe.architecture))
    for name, values in weights.items():
        if "moving_mean" in name or name.endswith(("beta", "bias")):
            weights[name] = rng.normal(0, 0.2, values.shape).astype(np.float32)
        if "moving_variance" in name or name.endswith("gamma"):
            weights[name] = rng.uniform(0.5, 1.5, values.shape).astype(np.float32)
    return Checkpoint(weights, recipe, temperature=1.7)


@pytest.mark.parametrize("colour", ["grey", "bgr"])
def test_the_folded_model_answers_as_the_checkpoint(
    colour: Colour, rng: np.random.Generator
) -> None:
    made = checkpoint(colour, rng)
    faces = rng.integers(0, 256, (3, 71, 71, 3), dtype=np.uint8)
    wanted = predict(made, faces, lambda done, total: None)
    model = folded_model(made)
    folded = np.concatenate([np.asarray(model(face[None].astype(np.float32))) for face in faces])
    assert np.abs(folded - wanted).max() < 1e-5


def test_the_colour_order_matters_to_a_colour_network(rng: np.random.Generator) -> None:
    made = checkpoint("bgr", rng)
    faces = rng.integers(0, 256, (3, 71, 71, 3), dtype=np.uint8)
    both = [predict(made, f, lambda done, total: None) for f in (faces, faces[..., ::-1])]
    assert np.abs(both[0] - both[1]).max() > 1e-4


def test_a_grey_network_sees_only_the_luma(rng: np.random.Generator) -> None:
    kernel = fold(checkpoint("grey", rng))["block1_conv1/kernel"]
    blue, green, red = kernel[:, :, 0], kernel[:, :, 1], kernel[:, :, 2]
    assert np.allclose(blue * 0.587, green * 0.114, atol=1e-7)
    assert np.allclose(red * 0.587, green * 0.299, atol=1e-7)

"""Bytes in, probabilities out, and nothing else changed."""

import numpy as np
import pytest
from networks import small_checkpoint as checkpoint

from converters.fold import fold, folded_model
from edge_fer.training.predict import predict
from edge_fer.training.recipe import Colour


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

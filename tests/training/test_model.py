"""Xception, layer for layer."""

from pathlib import Path

import keras
import numpy as np
import pytest

from edge_fer.errors import CheckpointError, ConfigError, NotFound
from edge_fer.training.checkpoint import set_weights, weights_of
from edge_fer.training.initial import initialise
from edge_fer.training.model import build, colour_matrix
from edge_fer.training.recipe import Architecture

FULL = Architecture(size=71)
SMALL = Architecture(size=71, width=0.05, middle_blocks=0)


def test_it_is_keras_applications_xception_weight_for_weight(tmp_path: Path) -> None:
    published = keras.applications.Xception(
        weights=None, include_top=False, input_shape=(71, 71, 3), pooling="avg"
    )
    published.save_weights(tmp_path / "x.weights.h5")
    model = build(FULL)
    initialise(model, str(tmp_path / "x.weights.h5"), FULL)
    features = keras.Model(model.input, model.get_layer("pool").output)
    faces = np.random.default_rng(0).integers(0, 256, (2, 71, 71, 1), np.uint8).repeat(3, 3)
    wanted = np.asarray(published(faces / np.float32(127.5) - 1))
    assert model.count_params() == 20_861_480 + 2048 * 7 + 7
    assert np.abs(np.asarray(features(faces)) - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_a_smaller_input_than_71_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 71"):
        Architecture(size=70)


def test_imagenet_weights_fit_only_the_published_width() -> None:
    with pytest.raises(CheckpointError, match="fit only width 1"):
        initialise(build(SMALL), "imagenet", SMALL)


def test_a_weights_file_that_is_missing_is_named() -> None:
    with pytest.raises(NotFound, match=r"nowhere\.weights\.h5"):
        initialise(build(FULL), "nowhere.weights.h5", FULL)


def test_a_weights_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.weights.h5").write_bytes(b"not hdf5")
    with pytest.raises(CheckpointError, match=r"bad\.weights\.h5"):
        initialise(build(FULL), str(tmp_path / "bad.weights.h5"), FULL)


def test_weights_of_another_shape_are_named() -> None:
    model = build(SMALL)
    weights = weights_of(model)
    weights["head/kernel"] = np.zeros((3, 7), np.float32)
    with pytest.raises(CheckpointError, match=r"head/kernel has shape \(3, 7\)"):
        set_weights(model, weights)


def test_the_colour_matrix_turns_bgr_into_what_the_network_was_trained_on() -> None:
    blue = np.array([1, 0, 0], np.float32)
    assert (blue @ colour_matrix("bgr") == [0, 0, 1]).all()
    assert np.allclose(blue @ colour_matrix("grey"), 0.114)
    assert np.allclose(colour_matrix("grey").sum(0), 1)

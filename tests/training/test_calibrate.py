"""Calibrated probabilities."""

import numpy as np
import pytest

from edge_fer.statistics import calibration_error
from edge_fer.training.augment import augment
from edge_fer.training.calibrate import (
    ENOUGH,
    abstention_threshold,
    fit_scaling,
    fit_temperature,
    softmax,
)
from edge_fer.training.recipe import Recipe


def drawn(rng: np.random.Generator, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that overstate by `sharpness`, and classes drawn from the honest ones."""
    honest = rng.normal(0, 1.5, (20_000, 7))
    truth = (honest + rng.gumbel(size=honest.shape)).argmax(1)  # drawn from their softmax
    return honest * sharpness, truth


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.5])
def test_the_temperature_undoes_over_and_underconfidence(
    rng: np.random.Generator, sharpness: float
) -> None:
    logits, truth = drawn(rng, sharpness)
    temperature = fit_temperature(logits, truth)
    assert temperature == pytest.approx(sharpness, rel=0.05)
    assert calibration_error(softmax(logits / temperature), truth) < 0.02


def biased(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a network that names the first class too often, and is too sure of the second."""
    logits, truth = drawn(rng, 1.0)
    logits[:, 0] += 0.8
    logits[:, 1] *= 1.6
    return logits, truth


def test_scaling_undoes_what_differs_from_class_to_class(rng: np.random.Generator) -> None:
    logits, truth = biased(rng)
    temperature = fit_temperature(logits[::2], truth[::2])
    scaled = softmax(fit_scaling(logits[::2], truth[::2])(logits[1::2]))
    plain = calibration_error(softmax(logits[1::2] / temperature), truth[1::2])
    assert calibration_error(scaled, truth[1::2]) < 0.7 * plain
    plain_right = (logits[1::2].argmax(1) == truth[1::2]).mean()
    assert (scaled.argmax(1) == truth[1::2]).mean() > plain_right + 0.01


def test_few_faces_give_one_temperature(rng: np.random.Generator) -> None:
    logits, truth = (values[: ENOUGH - 1] for values in biased(rng))
    scaling = fit_scaling(logits, truth)
    assert scaling.factor == pytest.approx([1 / fit_temperature(logits, truth)] * 7)
    assert not scaling.shift.any()


def test_a_scaling_is_folded_into_the_last_layer(rng: np.random.Generator) -> None:
    scaling = fit_scaling(*biased(rng))
    weights = {"head/kernel": rng.normal(size=(5, 7)), "head/bias": rng.normal(size=7),
               "other/kernel": np.ones(3)}  # fmt: skip
    seen = rng.normal(size=(4, 5))
    folded = scaling.folded(weights)
    wanted = scaling(seen @ weights["head/kernel"] + weights["head/bias"])
    assert np.allclose(seen @ folded["head/kernel"] + folded["head/bias"], wanted, atol=1e-5)
    assert folded["other/kernel"] is weights["other/kernel"]


def test_the_threshold_keeps_the_wanted_share(rng: np.random.Generator) -> None:
    scores = softmax(rng.normal(size=(10_000, 7)))
    threshold = abstention_threshold(scores, 0.9)
    assert (scores.max(1) >= threshold).mean() == pytest.approx(0.9, abs=0.001)


def test_augmentation_keeps_shape_and_is_decided_by_its_generator(
    rng: np.random.Generator,
) -> None:
    face = rng.integers(0, 256, (72, 72, 3), dtype=np.uint8)
    first, again, other = (
        augment(face, Recipe(), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.shape == face.shape
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert (first != other).any()

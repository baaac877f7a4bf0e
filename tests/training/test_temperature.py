"""Calibrated probabilities."""

import numpy as np
import pytest

from edge_fer.statistics import calibration_error
from edge_fer.training.augment import augment
from edge_fer.training.recipe import Recipe
from edge_fer.training.temperature import abstention_threshold, fit_temperature, softmax


def drawn(rng: np.random.Generator, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that overstate by `sharpness`, and classes drawn from the honest ones."""
    honest = rng.normal(0, 1.5, (20_000, 7))
    truth = np.array([rng.choice(7, p=p) for p in softmax(honest)])
    return honest * sharpness, truth


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.5])
def test_the_temperature_undoes_over_and_underconfidence(
    rng: np.random.Generator, sharpness: float
) -> None:
    logits, truth = drawn(rng, sharpness)
    temperature = fit_temperature(logits, truth)
    assert temperature == pytest.approx(sharpness, rel=0.05)
    assert calibration_error(softmax(logits / temperature), truth) < 0.02


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

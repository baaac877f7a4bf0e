"""Averaged weights and their batch-norm statistics."""

import keras
import numpy as np
import pytest

from edge_fer.training.average import AveragingAdamW, refresh_statistics


def line() -> keras.Model:
    inputs = keras.Input((3,))
    return keras.Model(
        inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs)
    )


def test_the_mean_stays_apart_through_fits_and_is_the_weighted_mean_of_all_steps(
    rng: np.random.Generator,
) -> None:
    model = line()
    optimizer = AveragingAdamW(0.05, momentum=0.5)
    model.compile(optimizer=optimizer, loss="mse")
    faces, truth = rng.normal(size=(4, 3)).astype(np.float32), np.zeros((4, 1), np.float32)
    mean = None
    for step in range(1, 31):
        model.fit(faces, truth, epochs=1, batch_size=4, verbose=0)
        kernel = model.layers[1].kernel.numpy()
        share = max(0.5, 10 / (9 + step))
        mean = kernel if mean is None else mean + share * (kernel - mean)
    last = model.layers[1].kernel.numpy()
    optimizer.use_means()
    assert mean is not None
    assert model.layers[1].kernel.numpy() == pytest.approx(mean, abs=1e-6)
    assert np.abs(mean - last).max() > 1e-4


def test_the_means_are_among_the_variables_that_a_state_keeps() -> None:
    model = line()
    averaging, plain = AveragingAdamW(0.1, momentum=0.9), keras.optimizers.AdamW(0.1)
    for optimizer in (averaging, plain):
        optimizer.build(model.trainable_variables)
    assert len(averaging.variables) == len(plain.variables) + 1


def test_statistics_become_those_of_the_batches_shown(rng: np.random.Generator) -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="n")(inputs))
    model.get_layer("n").moving_mean.assign([99.0, 99.0])
    batches = [rng.normal((3, -2), (1, 4), (512, 2)).astype(np.float32) for _ in range(8)]
    refresh_statistics(model, batches)
    norm = model.get_layer("n")
    assert norm.moving_mean.numpy() == pytest.approx([3, -2], abs=0.15)
    assert np.sqrt(norm.moving_variance.numpy()) == pytest.approx([1, 4], rel=0.05)

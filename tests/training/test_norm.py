"""The fused batch norm is Keras' own, faster."""

import keras
import numpy as np
import pytest
from keras.layers import BatchNormalization

from edge_fer.training.norm import FusedBatchNormalization


@pytest.fixture
def faces(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(3, 2, (8, 5, 5, 16)).astype(np.float32)


def taught(layer: BatchNormalization, faces: np.ndarray) -> np.ndarray:
    """The layer's answer in training, and its weights after a step of descent."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(faces.shape[1:]), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    answer = np.asarray(model(faces, training=True))
    model.train_on_batch(faces, faces[::-1])
    return np.concatenate([answer.ravel(), *(np.ravel(w) for w in model.get_weights())])


def test_it_answers_learns_and_remembers_as_keras_own(faces: np.ndarray) -> None:
    fused, own = taught(FusedBatchNormalization(), faces), taught(BatchNormalization(), faces)
    # The kernel stores the unbiased variance, n / (n - 1) of Keras' own: n is 200 here.
    assert np.allclose(fused, own, rtol=1e-3, atol=1e-3)


def test_a_frozen_layer_keeps_its_statistics(faces: np.ndarray) -> None:
    layer = FusedBatchNormalization()
    layer.build(faces.shape)
    layer.trainable = False
    layer(faces, training=True)
    assert not np.asarray(layer.moving_mean).any()

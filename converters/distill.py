"""Makes the shipped calibration faces: pictures distilled from a network's own statistics.

    python -m converters.distill CHECKPOINT --count 256

Nobody's photograph is in them. Grey noise is changed by gradient descent until the mean and the
variance of every batch norm's input, over a batch of pictures, equal those that the network
stored while it was trained, and until it sees the wanted expression in each (Cai et al., ZeroQ,
CVPR 2020; Yin et al., DeepInversion, CVPR 2020). Such pictures drive the activations through the
ranges that real faces do, which is what INT8 calibration needs of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from edge_fer.datasets.shipped import SHEET, SIDE
from edge_fer.emotions import LABELS
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.predict import float_model
from edge_fer.types import FaceBatch

COLUMNS = 16
"""Pictures a row of the sheet."""
SMOOTHNESS = 2e-4
"""Weight of the total variation; without it the pictures are noise that no camera gives."""
CLASS_WEIGHT = 0.5
"""Of the cross-entropy, beside the statistics."""


def distil(
    checkpoint: Checkpoint, count: int, steps: int = 160, batch: int = 64, seed: int = 0
) -> FaceBatch:
    """(count, size, size, 3) uint8 grey pictures, classes in turn."""
    network = _Statistics(checkpoint)
    parts = [
        _batch(network, min(batch, count - start), steps, seed + start)
        for start in range(0, count, batch)
    ]
    return np.concatenate(parts)


class _Statistics:
    """A frozen network that gives its logits and how far its statistics are from the stored."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        model = float_model(checkpoint)
        model.trainable = False
        self.size = checkpoint.recipe.architecture.size
        self._norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
        self._model = keras.Model(model.input, [model.output, *(n.input for n in self._norms)])

    def __call__(self, pictures: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(N, 7) logits and a scalar distance, 0 where all statistics agree."""
        logits, *seen = self._model(pictures, training=False)
        distance = tf.add_n([_gap(n, x) for n, x in zip(self._norms, seen, strict=True)])
        return logits, distance / len(self._norms)


def _gap(norm: keras.layers.BatchNormalization, seen: tf.Tensor) -> tf.Tensor:
    """Squared distances of mean and deviation, in units of the stored deviation."""
    mean, variance = tf.nn.moments(seen, (0, 1, 2))
    stored = tf.convert_to_tensor(norm.moving_variance) + norm.epsilon
    shift = (mean - norm.moving_mean) ** 2 / stored
    spread = (tf.sqrt(variance + norm.epsilon) / tf.sqrt(stored) - 1) ** 2
    return tf.reduce_mean(shift + spread)


def _batch(network: _Statistics, count: int, steps: int, seed: int) -> FaceBatch:
    rng = np.random.default_rng(seed)
    start = np.stack([_cloud(network.size, rng) for _ in range(count)])
    pictures = tf.Variable(start, dtype=tf.float32)
    wanted = tf.one_hot([i % len(LABELS) for i in range(count)], len(LABELS))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, steps))

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            bytes_ = tf.repeat(255 * tf.sigmoid(pictures), 3, axis=3)
            logits, distance = network(bytes_)
            classes = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
            rough = tf.reduce_mean(tf.image.total_variation(bytes_))
            loss = distance + CLASS_WEIGHT * classes + SMOOTHNESS * rough / 255
        optimizer.apply_gradients([(tape.gradient(loss, pictures), pictures)])
        return distance, classes

    with tqdm(range(steps), desc=f"pictures {seed}..{seed + count - 1}") as bar:
        for _ in bar:
            distance, classes = step()
            bar.set_postfix(statistics=float(distance), classes=float(classes))
    grey = np.asarray(255 * tf.sigmoid(pictures)).round().astype(np.uint8)
    return np.repeat(grey, 3, axis=3)


def _cloud(size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, size, 1) smooth noise: a start nearer to a face than white noise is."""
    layers = [
        cv2.resize(rng.normal(size=(n, n)), (size, size), interpolation=cv2.INTER_CUBIC)
        for n in (3, 6, 12, 24)
    ]
    return np.asarray(sum(layers), np.float32)[..., None] * 0.7


def write_sheet(pictures: FaceBatch, out: Path) -> None:
    """Lay pictures side by side into one grey PNG."""
    if len(pictures) % COLUMNS:
        raise ValueError(f"{len(pictures)} pictures do not fill rows of {COLUMNS}")
    small = [cv2.resize(p, (SIDE, SIDE))[..., 0] for p in pictures]
    rows = [np.hstack(small[i : i + COLUMNS]) for i in range(0, len(small), COLUMNS)]
    cv2.imwrite(str(out), np.vstack(rows), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, default=SHEET)
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    checkpoint = Checkpoint.load(asked.checkpoint)
    write_sheet(distil(checkpoint, asked.count, asked.steps, seed=asked.seed), asked.out)


if __name__ == "__main__":
    main()

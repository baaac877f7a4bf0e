"""Batch normalization by one kernel where TensorFlow has it.

Keras 3 writes it out as ten elementwise operations, in float32 under mixed precision: a third of
a training step of Xception on a CPU. oneDNN's kernel computes the same, statistics in float32.
"""

from __future__ import annotations

from typing import Any

import keras


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras' own layer, with its weights and names, whose training step is one kernel."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """(N, H, W, C) to the same shape, normalized over all but the channels."""
        if not (training and self.trainable) or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        result, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            keras.ops.cast(self.gamma, "float32"),
            keras.ops.cast(self.beta, "float32"),
            epsilon=self.epsilon,
        )
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept = keras.ops.cast(moving, "float32") * self.momentum
            moving.assign(kept + now * (1 - self.momentum))
        return result

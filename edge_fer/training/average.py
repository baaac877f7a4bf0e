"""The running mean of the weights (Polyak and Juditsky, 1992), kept by the optimizer itself.

Keras' own `use_ema` overwrites the weights with their mean at the end of every `fit`, and a run
calls it many times between two saved states. Here they stay apart until the run is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import keras
import numpy as np


class AveragingAdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW whose variables hold the mean beside each weight, so that a saved state has both."""

    def __init__(self, *arguments: Any, momentum: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._share = 1 - momentum

    def build(self, variables: Any) -> None:
        """Make the means; Keras calls it with the variables that learn."""
        super().build(variables)
        means = [self.add_variable_from_reference(v, "mean") for v in variables]
        # A function, because Keras would count a list of weights among the optimizer's own.
        self._pairs = partial(zip, tuple(variables), tuple(means), strict=True)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """One step, then the means move towards where it led."""
        super().apply(grads, trainable_variables)
        done = keras.ops.cast(self.iterations, "float32")
        # The first weights would linger for 1 / share steps: until then it is nearly a plain mean.
        share = keras.ops.maximum(self._share, 10 / (9 + done))
        for variable, mean in self._pairs():
            mean.assign_add(keras.ops.cast(share, mean.dtype) * (variable - mean))

    def use_means(self) -> None:
        """Put the means in the weights' place."""
        for variable, mean in self._pairs():
            variable.assign(mean.value)


def refresh_statistics(model: keras.Model, batches: Iterable[np.ndarray]) -> None:
    """Batch-norm means and variances of the weights as they are now, over some batches.

    Those that training left belong to the weights on the way, not to their mean (Izmailov et al.,
    UAI 2018).
    """
    norms = [n for n in model.layers if isinstance(n, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.trainable = True
        for value in (norm.moving_mean, norm.moving_variance):
            value.assign(keras.ops.zeros_like(value))
    seen = 0
    for faces in batches:
        model(faces, training=True)
        seen += 1
    for norm in norms:
        # A running mean that began at zero has reached this share of its height (Adam's argument).
        reached = 1 - norm.momentum**seen
        for value in (norm.moving_mean, norm.moving_variance):
            value.assign(value / reached)

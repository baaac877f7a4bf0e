"""Keras's names for the layers of an OpenVINO graph, which has lost them: told by the weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from converters.bias import gain
from converters.ir import layers
from edge_fer.training.checkpoint import Weights

CLOSE = 1e-4
"""Of the largest weight; the conversion folds batch norms in float32."""


def keras_names(model: ov.Model, weights: Weights) -> dict[str, str]:
    """Node name to the name of the Keras layer; a separable convolution has two nodes.

    Raises ValueError where a node's weights are those of no layer.
    """
    known = [(name, kernel) for name, kernel in _kernels(weights)]
    found = {}
    for layer in layers(model):
        same = [name for name, kernel in known if _alike(layer.weights, kernel)]
        if len(same) != 1:
            raise ValueError(f"{layer.name}: its weights belong to {same or 'no layer'}")
        found[layer.name] = same[0]
    return found


def _kernels(weights: Weights) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Each kernel as OpenVINO lays it out, with the batch norm behind it folded in."""
    for key, values in weights.items():
        name, _, kind = key.partition("/")
        if kind == "depthwise_kernel":
            yield name, values.transpose(2, 3, 0, 1)[:, :, None].astype(np.float64)
        elif kind in ("kernel", "pointwise_kernel") and values.ndim == 4:
            yield name, (values * gain(weights, f"{name}_bn")).transpose(3, 2, 0, 1)
        elif kind == "kernel":
            yield name, values.T.astype(np.float64)


def _alike(one: NDArray[np.float32], other: NDArray[np.float64]) -> bool:
    return one.shape == other.shape and bool(
        np.abs(one - other).max() <= CLOSE * np.abs(other).max()
    )

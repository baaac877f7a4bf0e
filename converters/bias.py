"""Rounding a kernel shifts the mean of what it gives; the bias behind it takes the shift back.

The shift of an output channel is the sum over its weights of rounding error times mean input
(Nagel et al., ICCV 2019, section 4.2). All formats round kernels alike, symmetrically with one
step an output channel, so one correction of the float weights serves them all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters.probe import MIDDLE, Flow
from edge_fer.training.checkpoint import Weights

EPSILON = 1e-3
"""Of Keras's batch norms."""

Kernel = NDArray[np.float64]


def corrected(weights: Weights, flow: Flow) -> Weights:
    """Folded weights whose batch norms undo the mean shift that INT8 kernels will cause."""
    changed = dict(weights)
    for name in flow.average:
        norm = f"{name}_bn"
        if f"{norm}/beta" not in weights:
            continue
        shift = _shift(weights, name, flow, gain(weights, norm))
        changed[f"{norm}/beta"] = (weights[f"{norm}/beta"] - shift).astype(np.float32)
    return changed


def _shift(weights: Weights, name: str, flow: Flow, folded: Kernel) -> Kernel:
    """(outputs,) mean error behind the batch norm."""
    if f"{name}/kernel" in weights:
        kernel = weights[f"{name}/kernel"] * folded
        return np.asarray(np.einsum("ijco,c->o", _error(kernel, -1), flow.means(name)))
    depthwise = weights[f"{name}/depthwise_kernel"][..., 0].astype(np.float64)
    pointwise = weights[f"{name}/pointwise_kernel"][0, 0] * folded
    before = np.einsum("ijc,c->c", _error(depthwise, -1), flow.means(name))
    return np.asarray(before @ pointwise + flow.means(name + MIDDLE) @ _error(pointwise, -1))


def gain(weights: Weights, norm: str) -> Kernel:
    """(outputs,) the factor that a batch norm folds into the kernel before it."""
    variance = weights[f"{norm}/moving_variance"].astype(np.float64)
    return np.asarray(weights[f"{norm}/gamma"] / np.sqrt(variance + EPSILON))


def _error(kernel: Kernel, axis: int) -> Kernel:
    """What rounding to 255 symmetric steps along each channel of `axis` adds."""
    others = tuple(i for i in range(kernel.ndim) if i != axis % kernel.ndim)
    step = np.maximum(np.abs(kernel).max(others, keepdims=True) / 127, 1e-12)
    return np.asarray(np.round(kernel / step) * step - kernel)

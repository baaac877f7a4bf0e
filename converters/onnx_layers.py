"""Keras layers as ONNX operators: a table of what is known, one function a kind of layer.

Tensors are channels-first in the graph, for that is what ONNX's convolutions take; shapes beside
them stay Keras' own, (1, height, width, channels).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from converters.onnx_graph import Graph, Shape
from edge_fer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor on its way through the graph."""

    name: str
    shape: Shape
    """As Keras sees it."""


Emit = Callable[[Graph, Any, list[Value]], str]


def emit(graph: Graph, layer: keras.Layer, values: list[Value]) -> Value:
    """Append the operators of one layer; raises ConfigError for a kind that is not known."""
    kind = type(layer).__name__
    if kind not in LAYERS:
        raise ConfigError(
            f"layer {layer.name}: ONNX export knows no {kind}; choose --format tflite or openvino"
        )
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise ConfigError(f"layer {layer.name}: ONNX export knows channels_last alone")
    shapes = [value.shape for value in values]
    shape = layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
    return Value(LAYERS[kind](graph, layer, values), tuple(int(side) for side in shape))


def _conv(graph: Graph, layer: Any, values: list[Value]) -> str:
    kernel = np.transpose(_weights(layer.kernel), (3, 2, 0, 1))
    return _activated(graph, layer, _convolved(graph, layer, values[0], kernel, layer.groups))


def _depthwise(graph: Graph, layer: Any, values: list[Value]) -> str:
    channels = values[0].shape[-1]
    kernel = _per_channel(_weights(layer.kernel))
    return _activated(graph, layer, _convolved(graph, layer, values[0], kernel, channels))


def _separable(graph: Graph, layer: Any, values: list[Value]) -> str:
    first, channels = values[0], values[0].shape[-1]
    name = f"{layer.name}/depthwise"
    kernel = _per_channel(_weights(layer.depthwise_kernel))
    across = graph.add("Conv", name, first.name, kernel, **_window(layer, first, channels))
    pointwise = np.transpose(_weights(layer.pointwise_kernel), (3, 2, 0, 1))
    out = graph.add("Conv", layer.name, across, pointwise, *_bias(layer), kernel_shape=[1, 1])
    return _activated(graph, layer, out)


def _convolved(graph: Graph, layer: Any, value: Value, kernel: NDArray[Any], groups: int) -> str:
    window = _window(layer, value, groups)
    return graph.add("Conv", layer.name, value.name, kernel, *_bias(layer), **window)


def _window(layer: Any, value: Value, groups: int) -> dict[str, Any]:
    return {
        "kernel_shape": list(layer.kernel_size),
        "strides": list(layer.strides),
        "dilations": list(layer.dilation_rate),
        "group": int(groups),
        "pads": _pads(layer.padding, value, layer.kernel_size, layer.strides, layer.dilation_rate),
    }


def _pads(
    padding: str, value: Value, kernel: Any, strides: Any, dilations: Any = (1, 1)
) -> list[int]:
    """Top, left, bottom, right; "same" puts an odd pixel at the bottom and right, as Keras does."""
    if padding == "valid":
        return [0, 0, 0, 0]
    missing = [
        max((-(-size // step) - 1) * step + (side - 1) * dilation + 1 - size, 0)
        for size, side, step, dilation in zip(
            value.shape[1:3], kernel, strides, dilations, strict=True
        )
    ]
    return [m // 2 for m in missing] + [m - m // 2 for m in missing]


def _per_channel(kernel: NDArray[Any]) -> NDArray[Any]:
    """(height, width, channels, multiplier) to (channels * multiplier, 1, height, width)."""
    height, width, channels, multiplier = kernel.shape
    return np.transpose(kernel.reshape(height, width, 1, channels * multiplier), (3, 2, 0, 1))


def _dense(graph: Graph, layer: Any, values: list[Value]) -> str:
    if len(values[0].shape) != 2:
        raise ConfigError(f"layer {layer.name}: ONNX export knows Dense on flat features alone")
    weights = np.ascontiguousarray(_weights(layer.kernel).T)
    out = graph.add("Gemm", layer.name, values[0].name, weights, *_bias(layer), transB=1)
    return _activated(graph, layer, out)


def _norm(graph: Graph, layer: Any, values: list[Value]) -> str:
    size = values[0].shape[-1]
    gain = _weights(layer.gamma) if layer.scale else np.ones(size, np.float32)
    beta = _weights(layer.beta) if layer.center else np.zeros(size, np.float32)
    figures = (gain, beta, _weights(layer.moving_mean), _weights(layer.moving_variance))
    return graph.add(
        "BatchNormalization", layer.name, values[0].name, *figures, epsilon=float(layer.epsilon)
    )


def _pool(op: str) -> Emit:
    def emit_pool(graph: Graph, layer: Any, values: list[Value]) -> str:
        pads = _pads(layer.padding, values[0], layer.pool_size, layer.strides)
        window = {"kernel_shape": list(layer.pool_size), "strides": list(layer.strides)}
        return graph.add(op, layer.name, values[0].name, pads=pads, **window)

    return emit_pool


def _global_pool(op: str) -> Emit:
    def emit_pool(graph: Graph, layer: Any, values: list[Value]) -> str:
        pooled = graph.add(op, f"{layer.name}/pooled", values[0].name)
        return pooled if layer.keepdims else graph.add("Flatten", layer.name, pooled)

    return emit_pool


def _flatten(graph: Graph, layer: Any, values: list[Value]) -> str:
    """In Keras' order: channels last."""
    name = values[0].name
    if len(values[0].shape) == 4:
        name = graph.add("Transpose", f"{layer.name}/last", name, perm=[0, 2, 3, 1])
    return graph.add("Flatten", layer.name, name)


def _padded(graph: Graph, layer: Any, values: list[Value]) -> str:
    (top, bottom), (left, right) = layer.padding
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return graph.add("Pad", layer.name, values[0].name, pads)


def _rescaled(graph: Graph, layer: Any, values: list[Value]) -> str:
    scale, offset = (np.asarray(v, np.float32) for v in (layer.scale, layer.offset))
    if scale.ndim or offset.ndim:
        scale, offset = (np.broadcast_to(v, (3,)).reshape(3, 1, 1).copy() for v in (scale, offset))
    scaled = graph.add("Mul", f"{layer.name}/scaled", values[0].name, scale)
    return graph.add("Add", layer.name, scaled, offset)


def _folded(op: str) -> Emit:
    def emit_chain(graph: Graph, layer: Any, values: list[Value]) -> str:
        name = values[0].name
        for other in values[1:]:
            name = graph.add(op, layer.name, name, other.name)
        return name

    return emit_chain


def _joined(graph: Graph, layer: Any, values: list[Value]) -> str:
    rank = len(values[0].shape)
    axis = {rank - 1: 1, 0: 0}.get(layer.axis % rank, layer.axis % rank + 1)
    return graph.add("Concat", layer.name, *(v.name for v in values), axis=axis)


def _same(graph: Graph, layer: Any, values: list[Value]) -> str:
    """At inference it changes nothing."""
    return values[0].name


def _softmax(graph: Graph, layer: Any, values: list[Value]) -> str:
    return graph.add("Softmax", layer.name, values[0].name, axis=1)


def _relu(graph: Graph, layer: Any, values: list[Value]) -> str:
    if layer.threshold or layer.negative_slope:
        raise ConfigError(f"layer {layer.name}: ONNX export knows ReLU without slope or threshold")
    top = layer.max_value
    if top is None:
        return graph.add("Relu", layer.name, values[0].name)
    return _clipped(graph, layer.name, values[0].name, float(top))


def _clipped(graph: Graph, name: str, entry: str, top: float) -> str:
    return graph.add("Clip", name, entry, np.array(0, np.float32), np.array(top, np.float32))


def _activated(graph: Graph, layer: Any, entry: str) -> str:
    """The layer's own activation."""
    kind = keras.activations.serialize(layer.activation)
    if kind == "linear":
        return entry
    name = f"{layer.name}/{kind}"
    if kind == "relu6":
        return _clipped(graph, name, entry, 6.0)
    if kind == "silu":
        return graph.add("Mul", name, entry, graph.add("Sigmoid", f"{name}/gate", entry))
    if kind not in ACTIVATIONS:
        raise ConfigError(
            f"layer {layer.name}: ONNX export knows no activation {kind}; "
            "choose --format tflite or openvino"
        )
    op, attributes = ACTIVATIONS[kind]
    return graph.add(op, name, entry, **attributes)


def _activation(graph: Graph, layer: Any, values: list[Value]) -> str:
    return _activated(graph, layer, values[0].name)


def _bias(layer: Any) -> list[NDArray[Any]]:
    return [_weights(layer.bias)] if layer.use_bias else []


def _weights(variable: Any) -> NDArray[Any]:
    return np.asarray(variable, np.float32)


ACTIVATIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "softmax": ("Softmax", {"axis": 1}),
}

LAYERS: Mapping[str, Emit] = {
    "Activation": _activation,
    "Add": _folded("Add"),
    "AveragePooling2D": _pool("AveragePool"),
    "BatchNormalization": _norm,
    "Concatenate": _joined,
    "Conv2D": _conv,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "Dropout": _same,
    "Flatten": _flatten,
    "FusedBatchNormalization": _norm,
    "GlobalAveragePooling2D": _global_pool("GlobalAveragePool"),
    "GlobalMaxPooling2D": _global_pool("GlobalMaxPool"),
    "MaxPooling2D": _pool("MaxPool"),
    "Multiply": _folded("Mul"),
    "ReLU": _relu,
    "Rescaling": _rescaled,
    "SeparableConv2D": _separable,
    "Softmax": _softmax,
    "ZeroPadding2D": _padded,
}
"""Class name of a Keras layer to what it becomes."""

"""Multiplications and bytes of every layer of a network, counted on the network itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

ELEMENT = {"fp32": 4, "fp16": 2, "int8": 1}
"""Bytes of a weight and of an activation, by precision."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer takes for one face."""

    name: str
    macs: int
    """Multiply-accumulates."""
    weights: int
    """Numbers that are read once."""
    activations: int
    """Numbers that are read and written."""

    def bytes(self, precision: str) -> int:
        """Moved for one face, if nothing stays in a cache."""
        return (self.weights + self.activations) * ELEMENT[precision]


def layers_of(model: Any) -> list[Layer]:
    """The layers of a Keras model that multiply; norms and activations melt into them."""
    return [found for layer in model.layers for found in _layers(layer)]


def _layers(layer: Any) -> Iterator[Layer]:
    kind = type(layer).__name__
    if kind == "Conv2D":
        yield _convolution(layer.name, layer, tuple(layer.kernel.shape))
    elif kind == "DepthwiseConv2D":
        yield _depthwise(layer.name, layer, tuple(layer.kernel.shape))
    elif kind == "SeparableConv2D":
        yield _depthwise(f"{layer.name}/depthwise", layer, tuple(layer.depthwise_kernel.shape))
        yield _pointwise(f"{layer.name}/pointwise", layer)
    elif kind == "Dense":
        inputs, outputs = layer.kernel.shape
        yield Layer(layer.name, inputs * outputs, inputs * outputs + outputs, inputs + outputs)


def _convolution(name: str, layer: Any, kernel: tuple[int, ...]) -> Layer:
    """Kernel (h, w, in, out): every output is a sum over h x w x in."""
    outputs, inputs = _size(layer.output.shape), _size(layer.input.shape)
    return Layer(name, outputs * prod(kernel[:3]), prod(kernel) + kernel[3], inputs + outputs)


def _depthwise(name: str, layer: Any, kernel: tuple[int, ...]) -> Layer:
    """Kernel (h, w, in, multiplier): every output is a sum over h x w of its own channel."""
    pixels = prod(layer.output.shape[1:3])
    outputs = pixels * kernel[2] * kernel[3]
    inputs = _size(layer.input.shape)
    return Layer(name, outputs * prod(kernel[:2]), prod(kernel), inputs + outputs)


def _pointwise(name: str, layer: Any) -> Layer:
    """The 1x1 half of a separable convolution."""
    inputs, outputs = layer.pointwise_kernel.shape[2:]
    pixels = prod(layer.output.shape[1:3])
    weights = inputs * outputs + outputs
    return Layer(name, pixels * inputs * outputs, weights, pixels * (inputs + outputs))


def _size(shape: tuple[int | None, ...]) -> int:
    """Of one face: the first dimension is the batch."""
    return prod(int(side or 1) for side in shape[1:])

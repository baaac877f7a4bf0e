"""OpenVINO's graph in INT8: which tensors and kernels become bytes, and in which steps.

Written here and not left to NNCF, for four reasons that figures gave (README): the sums of the
residual stream stay in float32, which the CPU plugin computes inside the convolution anyway, so
that no operator quantizes, unpacks and quantizes again between two blocks; ranges follow the
same rules as in the other formats; a layer can be kept in float32 by name; and it takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

from converters.activations import SAMPLE, Activations
from converters.ranges import Range
from edge_fer.types import FaceBatch

KINDS = ("Convolution", "GroupConvolution", "MatMul")
LEVELS = 256
LARGEST = 127
"""Of a symmetric int8 weight."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution or matrix whose weights are constant."""

    name: str
    node: ov.Node
    source: str
    """Name of the node that it reads."""

    @property
    def weights(self) -> NDArray[np.float32]:
        """Output channels first."""
        return np.asarray(self.node.input_value(1).get_node().data, np.float32)


def layers(model: ov.Model) -> Iterator[Layer]:
    """All of them, first to last."""
    for node in model.get_ordered_ops():
        if node.get_type_name() not in KINDS:
            continue
        source, weights = (node.input_value(i).get_node() for i in (0, 1))
        if weights.get_type_name() == "Constant":
            yield Layer(node.get_friendly_name(), node, source.get_friendly_name())


def observe(
    model: ov.Model, faces: FaceBatch, progress: Callable[[int, int], None], threads: int = 2
) -> Activations:
    """What every layer of a float model reads, on (N, H, W, 3) bytes; names are of sources."""
    model = model.clone()
    read = {layer.source: layer.node.input_value(0) for layer in layers(model)}
    watching = ov.Model([op.result(output) for output in read.values()], model.get_parameters())
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    request = ov.Core().compile_model(watching, "CPU", settings).create_infer_request()
    rng = np.random.default_rng(0)
    lows, highs, values = [], [], []
    for number, face in enumerate(faces):
        request.infer([face[None]])
        tensors = [request.get_output_tensor(i).data for i in range(len(read))]
        lows.append([float(t.min()) for t in tensors])
        highs.append([float(t.max()) for t in tensors])
        values.append([t.ravel()[rng.integers(0, t.size, SAMPLE)] for t in tensors])
        progress(number + 1, len(faces))
    return Activations(
        tuple(read), *(np.array(found, np.float32) for found in (lows, highs, values))
    )


def quantize(model: ov.Model, ranges: Mapping[str, Range], kept: Collection[str] = ()) -> ov.Model:
    """INT8 where it is multiplied, but for the layers `kept` in float32.

    `ranges` has one for every source. Weights have one symmetric step an output channel.
    """
    model = model.clone()
    made: dict[str, ov.Output] = {}
    for layer in list(layers(model)):
        if layer.name in kept:
            continue
        if layer.source not in made:
            made[layer.source] = _steps(layer.node.input_value(0), *ranges[layer.source])
        layer.node.input(0).replace_source_output(made[layer.source])
        layer.node.input(1).replace_source_output(_bytes(layer.weights))
    model.validate_nodes_and_infer_types()
    return model


def on_grid(low: float, high: float) -> Range:
    """The range widened until zero is one of its steps: padding must be exact."""
    low, high = min(low, 0.0), max(high, 1e-6)
    if low == 0:
        return low, high
    zero = min(max(round(-low / (high - low) * (LEVELS - 1)), 1), LEVELS - 2)
    step = max(-low / zero, high / (LEVELS - 1 - zero))
    return -zero * step, (LEVELS - 1 - zero) * step


def _steps(source: ov.Output, low: float, high: float) -> ov.Output:
    bounds = [op.constant(np.float32(bound)) for bound in on_grid(low, high)]
    return op.fake_quantize(source, *bounds, *bounds, LEVELS).output(0)


def _bytes(weights: NDArray[np.float32]) -> ov.Output:
    """Weights as stored int8 times a float32 step for each output channel."""
    inner = tuple(range(1, weights.ndim))
    step = np.maximum(np.abs(weights).max(inner, keepdims=True) / LARGEST, 1e-12)
    rounded = np.clip(np.round(weights / step), -LARGEST, LARGEST).astype(np.int8)
    unpacked = op.convert(op.constant(rounded), "f32")
    return op.multiply(unpacked, op.constant(step.astype(np.float32))).output(0)

"""INT8 as explicit Q/DQ pairs, in the form that TensorRT takes.

Signed and symmetric with zero point 0, for TensorRT takes no other; weights per output channel, as
floats behind a pair of their own, for TensorRT 8 takes no integer weights (10 takes both); the
bias stays float. Pairs stand before every convolution and matrix, and on the side of a sum that
comes from no convolution, so that the convolution on the other side takes the sum into its kernel
(NVIDIA's rules for placing Q/DQ).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from converters.activations import Activations
from converters.onnx_graph import WEIGHTED, Graph, Node
from converters.tflite import REACH
from edge_fer.types import FaceBatch

LARGEST = 127
"""Of a signed byte, both ways."""
MIDDLE = 128.0
"""What is taken from a camera's byte, so that all 256 of its values fit a signed one."""
TINY = 1e-12
"""Stands for the range of a tensor or channel that is all zero."""


def seen_by(graph: Graph, faces: FaceBatch) -> Activations:
    """Extremes, on (N, H, W, 3) faces, of the tensors of a float graph that get a pair."""
    _centre_bytes(graph)
    return observe(graph, sorted(_places(graph, ())), faces)


def quantize(graph: Graph, seen: Activations, kept: Collection[str] = ()) -> None:
    """Put Q/DQ pairs into a float graph, but not at the Keras layers `kept`.

    The rule for ranges is that of the TFLite model, on the same faces without outliers.
    """
    _centre_bytes(graph)
    lows = np.percentile(seen.lows, 100 - REACH, axis=0)
    highs = np.percentile(seen.highs, REACH, axis=0)
    peaks = dict(zip(seen.tensors, np.maximum(np.abs(lows), np.abs(highs)), strict=True))
    for tensor, readers in _places(graph, kept).items():
        scale = np.array(max(peaks[tensor], TINY) / LARGEST, np.float32)
        _pair(graph, tensor, scale, readers)
    for node in [n for n in graph.nodes if _weighted(n, kept)]:
        _quantize_weights(graph, node)


def _weighted(node: Node, kept: Collection[str]) -> bool:
    """Whether it multiplies, in INT8; its weights bear the name of the Keras layer."""
    return node.op in WEIGHTED and node.inputs[1].split("/")[0] not in kept


def observe(graph: Graph, tensors: list[str], faces: FaceBatch) -> Activations:
    """Extremes of some tensors of a float graph on every face."""
    model = graph.proto()
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in tensors
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    lows, highs = [], []
    for face in faces:
        values = session.run(tensors, {graph.entry: face[None]})
        lows.append([float(v.min()) for v in values])
        highs.append([float(v.max()) for v in values])
    return Activations(tuple(tensors), np.array(lows, np.float32), np.array(highs, np.float32))


def _centre_bytes(graph: Graph) -> None:
    """Shift the entry by 128 and the first convolution's bias against it; exact without padding.

    Otherwise the symmetric range 0 to 255 would throw away every second value of a byte.
    """
    first = next(node for node in graph.nodes if node.op in WEIGHTED)
    entry = first.inputs[0]
    if graph.readers()[entry] > 1 or first.op != "Conv" or any(first.attributes["pads"]):
        return
    weights = graph.constants[first.inputs[1]].astype(np.float64)
    bias = graph.constants[first.inputs[2]] if len(first.inputs) > 2 else np.zeros(len(weights))
    moved = bias + MIDDLE * weights.sum((1, 2, 3))
    first.inputs[2:] = [graph.constant(f"{first.output}/bias", moved.astype(np.float32))]
    middle = graph.constant("middle", np.array(MIDDLE, np.float32))
    centred = Node("Sub", [entry, middle], graph.unique("centred"))
    graph.nodes.insert(graph.nodes.index(first), centred)
    first.inputs[0] = centred.output


def _places(graph: Graph, kept: Collection[str]) -> dict[str, list[tuple[Node, int]]]:
    """Tensor to the inputs that shall read it through a pair."""
    producers, readers = graph.producers(), graph.readers()
    found: dict[str, list[tuple[Node, int]]] = {}

    def fuses(name: str) -> bool:
        made = producers.get(name)
        if made is None or made.op != "Conv":
            return False
        return readers[name] == 1 and _weighted(made, kept)

    for node in graph.nodes:
        if _weighted(node, kept):
            found.setdefault(node.inputs[0], []).append((node, 0))
        elif node.op == "Add" and any(fuses(name) for name in node.inputs):
            side = 0 if fuses(node.inputs[1]) else 1
            found.setdefault(node.inputs[side], []).append((node, side))
    return found


def _pair(graph: Graph, tensor: str, scale: NDArray[Any], readers: list[tuple[Node, int]]) -> None:
    """Put one Q/DQ pair behind a tensor, for some of its readers."""
    axis = {"axis": 0} if scale.ndim else {}
    names = [
        graph.constant(f"{tensor}/scale", scale),
        graph.constant(f"{tensor}/zero", np.zeros(scale.shape, np.int8)),
    ]
    steps, back = graph.unique(f"{tensor}/quantized"), graph.unique(f"{tensor}/dequantized")
    pair = [
        Node("QuantizeLinear", [tensor, *names], steps, dict(axis)),
        Node("DequantizeLinear", [steps, *names], back, dict(axis)),
    ]
    first = min(graph.nodes.index(node) for node, _ in readers)
    graph.nodes[first:first] = pair
    for node, position in readers:
        node.inputs[position] = back


def _quantize_weights(graph: Graph, node: Node) -> None:
    """One scale an output channel, the channel's largest weight at 127."""
    weights = graph.constants[node.inputs[1]]
    peaks = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    scale = (np.maximum(peaks, TINY) / LARGEST).astype(np.float32)
    _pair(graph, node.inputs[1], scale, [(node, 1)])

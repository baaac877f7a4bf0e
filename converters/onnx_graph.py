"""A graph of ONNX operators that is still being made: nodes, constants, and exact rewrites of them.

Opset 13 is the least that knows per-channel Q/DQ, and is read by ONNX Runtime since 1.7,
TensorRT since 8.0 and OpenVINO's converter of 2021.4; IR version 7 is what goes with it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 7
WEIGHTED = ("Conv", "Gemm")
"""Operators with weights at input 1 (output channels first) and a bias at input 2."""

Shape = tuple[int, ...]


@dataclass(slots=True)
class Node:
    """One operator with one output."""

    op: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any] = field(default_factory=dict)


class Graph:
    """Operators in an order in which they can run, from one input to one output."""

    def __init__(self, entry: str, entry_type: int, shape: Shape) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.entry, self.entry_type, self.entry_shape = entry, entry_type, shape
        self.exit, self.exit_shape = entry, shape
        self._names: Counter[str] = Counter([entry])

    def add(self, op: str, name: str, *inputs: str | NDArray[Any], **attributes: Any) -> str:
        """Append an operator and give its output's name; arrays become constants."""
        output = self.unique(name)
        named = [
            given if isinstance(given, str) else self.constant(f"{output}/{position}", given)
            for position, given in enumerate(inputs)
        ]
        self.nodes.append(Node(op, named, output, attributes))
        return output

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Keep an array under a name of its own."""
        name = self.unique(name)
        self.constants[name] = values
        return name

    def unique(self, name: str) -> str:
        """The name, with a number where it is taken."""
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name}_{self._names[name]}"

    def producers(self) -> dict[str, Node]:
        """Tensor to the node that gives it."""
        return {node.output: node for node in self.nodes}

    def readers(self) -> Counter[str]:
        """Tensor to the number of inputs that take it."""
        return Counter(name for node in self.nodes for name in node.inputs) + Counter([self.exit])

    def proto(self, name: str = "edge_fer") -> onnx.ModelProto:
        """The finished model, checked, with the shapes of all tensors inferred."""
        used = self.readers()
        made = helper.make_graph(
            [
                helper.make_node(n.op, n.inputs, [n.output], n.output, **n.attributes)
                for n in self.nodes
            ],
            name,
            [helper.make_tensor_value_info(self.entry, self.entry_type, self.entry_shape)],
            [helper.make_tensor_value_info(self.exit, TensorProto.FLOAT, self.exit_shape)],
            [numpy_helper.from_array(v, n) for n, v in self.constants.items() if used[n]],
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            made, opset_imports=opset, ir_version=IR_VERSION, producer_name="edge-fer"
        )
        onnx.checker.check_model(model, full_check=True)
        return onnx.shape_inference.infer_shapes(model, strict_mode=True)


def fold_norms(graph: Graph) -> None:
    """Put every batch norm into the convolution or matrix before it; exact but for rounding."""
    producers, readers = graph.producers(), graph.readers()
    for norm in [n for n in graph.nodes if n.op == "BatchNormalization"]:
        before = producers.get(norm.inputs[0])
        if before is None or before.op not in WEIGHTED or readers[before.output] > 1:
            continue
        gain, beta, mean, variance = (
            graph.constants[n].astype(np.float64) for n in norm.inputs[1:]
        )
        gain = gain / np.sqrt(variance + norm.attributes["epsilon"])
        weights = graph.constants[before.inputs[1]].astype(np.float64)
        bias = graph.constants[before.inputs[2]] if len(before.inputs) > 2 else np.zeros_like(mean)
        scaled = weights * gain.reshape(-1, *[1] * (weights.ndim - 1))
        graph.constants[before.inputs[1]] = scaled.astype(np.float32)
        moved = ((bias - mean) * gain + beta).astype(np.float32)
        before.inputs[2:] = [graph.constant(f"{before.output}/bias", moved)]
        before.output = norm.output  # the name under which the next one knows it
        graph.nodes.remove(norm)


def halve(graph: Graph) -> None:
    """Compute in float16 between the entry's cast and the softmax, which stays in float32."""
    for name, values in graph.constants.items():
        if values.dtype == np.float32:
            graph.constants[name] = values.astype(np.float16)
    for node in list(graph.nodes):
        if node.op == "Cast":
            node.attributes["to"] = TensorProto.FLOAT16
        if node.op == "Softmax":
            whole = graph.unique(f"{node.inputs[0]}/float32")
            cast = Node("Cast", [node.inputs[0]], whole, {"to": TensorProto.FLOAT})
            graph.nodes.insert(graph.nodes.index(node), cast)
            node.inputs[0] = whole

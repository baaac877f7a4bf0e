"""An ONNX file read by its own package."""

from __future__ import annotations

from math import prod
from typing import Any

import onnx

from edge_fer.inspection import KEY, Graph, Operator

WEIGHTED = ("Conv", "Gemm")
TYPES = {
    onnx.TensorProto.FLOAT: "fp32",
    onnx.TensorProto.FLOAT16: "fp16",
    onnx.TensorProto.INT8: "int8",
    onnx.TensorProto.UINT8: "int8",
}


def read(content: bytes) -> Graph:
    """The nodes, with the shapes that are inferred anew, and the manifest in the metadata."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(content))
    values = (*model.graph.input, *model.graph.output, *model.graph.value_info)
    types = {value.name: value.type.tensor_type for value in values}
    shapes = {n: [d.dim_value for d in kind.shape.dim] for n, kind in types.items()}
    kinds = {name: kind.elem_type for name, kind in types.items()}
    for constant in model.graph.initializer:
        shapes[constant.name], kinds[constant.name] = list(constant.dims), constant.data_type
    made = {node.output[0]: node.op_type for node in model.graph.node}
    operators = [_operator(node, shapes, kinds, made) for node in model.graph.node]
    texts = {entry.key: entry.value for entry in model.metadata_props}
    return Graph(tuple(operators), texts.get(KEY))


def _operator(
    node: Any, shapes: dict[str, list[int]], kinds: dict[str, int], made: dict[str, str]
) -> Operator:
    kind = kinds.get(node.output[0], 0)
    precision = TYPES.get(kind, f"type {kind}")
    if node.op_type not in WEIGHTED:
        return Operator(node.op_type, precision)
    if all(made.get(name) == "DequantizeLinear" for name in node.input[:2]):
        precision = "int8"
    result = shapes[node.output[0]]
    # All weights are used for every place of the result, each for one of its channels.
    reach = prod(shapes[node.input[1]]) // result[1]
    return Operator(node.op_type, precision, prod(result) * reach)

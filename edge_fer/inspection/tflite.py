"""A TFLite file read as the flatbuffer that it is."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edge_fer.inspection import KEY, Graph, Operator

TYPES = {
    schema.TensorType.INT8: "int8",
    schema.TensorType.FLOAT32: "fp32",
    schema.TensorType.FLOAT16: "fp16",
}
NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}


def read(content: bytes) -> Graph:
    """The operators of the first subgraph, and the manifest in the metadata."""
    if content[4:8] != b"TFL3":
        raise ValueError("its mark TFL3 is missing")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
    operators = [_operator(codes[o.opcodeIndex], o, graph.tensors) for o in graph.operators]
    return Graph(tuple(operators), _manifest(model))


def _operator(code: int, operator: Any, tensors: Sequence[Any]) -> Operator:
    entry, result = tensors[operator.inputs[0]], tensors[operator.outputs[0]]
    name = NAMES.get(code, f"CUSTOM {code}")
    kind = TYPES.get(entry.type, f"type {entry.type}")
    return Operator(name, kind, _multiply_adds(name, operator, tensors, list(result.shape)))


def _multiply_adds(name: str, operator: Any, tensors: Sequence[Any], result: list[int]) -> int:
    if name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0
    kernel = list(tensors[operator.inputs[1]].shape)
    # (out, height, width, in), (1, height, width, channels), (out, in)
    reach = kernel[1:3] if name == "DEPTHWISE_CONV_2D" else kernel[1:]
    return int(prod(result) * prod(reach))


def _manifest(model: Any) -> str | None:
    for entry in model.metadata or []:
        if entry.name in (KEY, KEY.encode()):
            return bytes(model.buffers[entry.buffer].data).decode()
    return None

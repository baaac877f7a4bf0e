"""A ReLU of its own in an INT8 TFLite file, written so that XNNPACK takes it.

Behind each residual addition stands a ReLU that cannot be fused, since the addition's own result is
needed too. XNNPACK has no int8 RELU: each one cut the graph in two, and the interpreter ran it
by its plain kernel between two partitions (12 partitions in Xception, a third of the time). A
QUANTIZE to a tensor whose zero point is -128 does the same: it clamps at -128, which is zero.
"""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

LOWEST = -128


def by_requantizing(model: bytes) -> bytes:
    """The same file with every standalone int8 RELU written as a QUANTIZE.

    Raises ValueError where a RELU's result could hold something below zero.
    """
    content = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    for graph in content.subgraphs:
        for operator in graph.operators:
            if _is_int8_relu(content, graph, operator):
                _rewrite(content, graph, operator)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def _is_int8_relu(
    content: schema.ModelT, graph: schema.SubGraphT, operator: schema.OperatorT
) -> bool:
    kind = content.operatorCodes[operator.opcodeIndex].builtinCode
    result = graph.tensors[operator.outputs[0]]
    return bool(kind == schema.BuiltinOperator.RELU and result.type == schema.TensorType.INT8)


def _rewrite(content: schema.ModelT, graph: schema.SubGraphT, operator: schema.OperatorT) -> None:
    result = graph.tensors[operator.outputs[0]]
    if list(result.quantization.zeroPoint) != [LOWEST]:
        raise ValueError(f"{result.name}: a RELU whose zero point is not {LOWEST}")
    operator.opcodeIndex = _code(content, schema.BuiltinOperator.QUANTIZE)
    operator.builtinOptionsType = schema.BuiltinOptions.QuantizeOptions
    operator.builtinOptions = schema.QuantizeOptionsT()


def _code(content: schema.ModelT, kind: int) -> int:
    """The index of an operator code, which is added where it is missing."""
    for index, known in enumerate(content.operatorCodes):
        if known.builtinCode == kind:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode = kind, kind
    code.version = 2  # from int8 to int8
    content.operatorCodes.append(code)
    return len(content.operatorCodes) - 1

"""ONNX: a Keras graph written out layer by layer, bytes in, probabilities out.

Built directly: tf2onnx is no longer kept up and Keras' own export goes through it. What comes out
has one operator a layer, batch norms folded, and weights under the layers' names.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import keras
from onnx import ModelProto, TensorProto

from converters import onnx_int8
from converters.activations import Activations
from converters.onnx_graph import Graph, fold_norms, halve
from converters.onnx_layers import Value, emit
from edge_fer.types import FaceBatch

ENTRY = "faces"


def to_float(model: keras.Model, half: bool = False, bytes_in: bool = True) -> ModelProto:
    """A folded Keras model as ONNX; `half` computes in float16.

    Takes (1, H, W, 3) uint8 BGR, or float32 where not `bytes_in`, and gives (1, 7) float32. The
    cast comes first and alone, as TensorRT asks of uint8 inputs; the one transpose behind it
    brings the picture into the channels-first order of ONNX's convolutions.
    """
    graph = float_graph(model, bytes_in)
    if half:
        halve(graph)
    return graph.proto()


def observe(model: keras.Model, faces: FaceBatch) -> Activations:
    """What `quantize` needs to know of (N, H, W, 3) uint8 faces without outliers."""
    return onnx_int8.seen_by(float_graph(model), faces)


def quantize(model: keras.Model, seen: Activations, kept: Collection[str] = ()) -> ModelProto:
    """A folded Keras model as INT8 in Q/DQ pairs, but for the layers of these names."""
    graph = float_graph(model)
    onnx_int8.quantize(graph, seen, kept)
    return graph.proto()


def to_files(model: ModelProto) -> dict[str, bytes]:
    """The one file of a model."""
    return {"model.onnx": model.SerializeToString(deterministic=True)}


def float_graph(model: keras.Model, bytes_in: bool = True) -> Graph:
    """The operators of a folded model, with batch norms folded away."""
    shape = tuple(int(side) for side in model.inputs[0].shape)
    graph = Graph(ENTRY, TensorProto.UINT8 if bytes_in else TensorProto.FLOAT, shape)
    entry = graph.add("Cast", "floats", ENTRY, to=TensorProto.FLOAT) if bytes_in else ENTRY
    entry = graph.add("Transpose", "channels_first", entry, perm=[0, 3, 1, 2])
    last = _walk(graph, model, [Value(entry, shape)])
    graph.exit, graph.exit_shape = last.name, last.shape
    fold_norms(graph)
    return graph


def _walk(graph: Graph, model: Any, values: list[Value]) -> Value:
    """Every layer in the order in which Keras calls them, nested models from inside."""

    def calling(layer: Any) -> Any:
        def call(given: Any, *_: Any, **__: Any) -> Value:
            inputs = list(given) if isinstance(given, (list, tuple)) else [given]
            if isinstance(layer, (keras.Model, keras.Sequential)):
                return _walk(graph, layer, inputs)
            return emit(graph, layer, inputs)

        return call

    # Keras' own walk: it knows shared layers, nested models and the order of inputs.
    function = model._functional if isinstance(model, keras.Sequential) else model
    answer: Any = function._run_through_graph(values, operation_fn=calling)
    last: Value = answer[0] if isinstance(answer, (list, tuple)) else answer
    return last

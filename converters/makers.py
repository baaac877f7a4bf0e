"""What makes the files of each format: a table of functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import keras

from converters import activations, ir, ncs, onnx, openvino, tflite
from converters.calibration import CalibrationSet
from converters.ir_names import keras_names
from edge_fer.progress import Progress
from edge_fer.training.checkpoint import Weights


@dataclass(frozen=True, slots=True)
class Source:
    """What every format is made from."""

    model: keras.Model
    """Folded: bytes to probabilities."""
    calibration: CalibrationSet | None
    """None for floats."""
    ready: keras.Model
    """What INT8 is made of: biases that undo what rounding will do. `model` itself for floats."""
    weights: Weights
    """Of the folded network, but for its biases."""


Files = dict[str, bytes]
Maker = Callable[[Sequence[str]], Files]
"""From the Keras names of layers that stay in float32 to the files of a bundle."""


def _tflite(source: Source, precision: str, progress: Progress) -> Maker:
    if precision != "int8":
        return lambda _: {"model.tflite": tflite.to_float(source.model, half=precision == "fp16")}
    assert source.calibration is not None
    floats = tflite.to_float(source.ready)
    seen = activations.observe(floats, source.calibration.faces, partial(progress, "tflite ranges"))
    return lambda kept: {"model.tflite": tflite.quantize(floats, seen, kept=kept)}


def _openvino(source: Source, precision: str, progress: Progress) -> Maker:
    if precision != "int8":
        model = openvino.to_float(source.model)
        return lambda _: openvino.to_files(model, half=precision == "fp16")
    assert source.calibration is not None
    graph = openvino.to_float(source.ready)
    seen = ir.observe(graph, source.calibration.faces, partial(progress, "openvino ranges"))

    def make(kept: Sequence[str]) -> Files:
        names = keras_names(graph, source.weights) if kept else {}
        nodes = [node for node, layer in names.items() if layer in kept]
        return openvino.to_files(openvino.quantize(graph, seen, kept=nodes), half=False)

    return make


def _onnx(source: Source, precision: str, progress: Progress) -> Maker:
    if precision != "int8":
        return lambda _: onnx.to_files(onnx.to_float(source.model, half=precision == "fp16"))
    assert source.calibration is not None
    seen = onnx.observe(source.ready, source.calibration.faces)
    return lambda kept: onnx.to_files(onnx.quantize(source.ready, seen, kept))


def _ncs(source: Source, precision: str, progress: Progress) -> Maker:
    return lambda _: ncs.to_files(onnx.to_float(source.model, bytes_in=False))


FORMATS: Mapping[str, Callable[[Source, str, Progress], Maker]] = {
    "tflite": _tflite,
    "openvino": _openvino,
    "onnx": _onnx,
    "ncs": _ncs,
}

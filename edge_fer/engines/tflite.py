"""TFLite models by LiteRT, or by its older form tflite-runtime."""

from __future__ import annotations

from collections import Counter
from importlib import metadata
from typing import Any

import numpy as np

from edge_fer.bundle import Bundle
from edge_fer.emotions import LABELS
from edge_fer.engines.scores import checked_faces, checked_scores
from edge_fer.errors import BundleError, EngineError
from edge_fer.litert import installed, interpreter
from edge_fer.types import FaceBatch, ScoreBatch

TOP_BIT = np.uint8(0x80)
"""An int8 tensor of scale 1 and zero point -128 holds the same byte with its top bit flipped."""

SUMMED = {"CONV_2D": (1, 2, 3), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1,)}
"""Axes of an operator's weights that one number of its result sums over."""


class TfliteEngine:
    """One interpreter for one face at a time; batches go through it face by face."""

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        runtime, self.device = installed(), device
        self.runtime = f"{runtime} {metadata.version(runtime)}"
        self._name, self._size = bundle.manifest.name, bundle.manifest.input_size
        try:
            self._model = interpreter(bundle.file(".tflite"), threads)
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"{bundle.path}: LiteRT refuses the model ({error})") from error
        self._input, self._output = self._tensors(bundle)
        self.work = _work(self._model)
        self.precision = max(self.work, key=lambda kind: self.work[kind])

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """(N, H, W, 3) uint8 BGR to (N, 7) float32 probabilities."""
        checked_faces(faces, self._size)
        scores = np.empty((len(faces), len(LABELS)), np.float32)
        for face, row in zip(faces, scores, strict=True):
            self._model.set_tensor(self._input["index"], self._encoded(face[None]))
            try:
                self._model.invoke()
            except (ValueError, RuntimeError) as error:
                raise EngineError(f"{self._name}: LiteRT failed ({error})") from error
            row[:] = self._decoded(self._model.get_tensor(self._output["index"]))
        return checked_scores(scores, self._name)

    def _encoded(self, face: FaceBatch) -> np.ndarray:
        if self._input["dtype"] is np.int8:
            return (face ^ TOP_BIT).view(np.int8)
        return face.astype(np.float32)

    def _decoded(self, output: np.ndarray) -> np.ndarray:
        if self._output["dtype"] is np.float32:
            return np.asarray(output[0])
        scale, zero = self._output["quantization"]
        return np.asarray((output[0].astype(np.float32) - zero) * scale, np.float32)

    def _tensors(self, bundle: Bundle) -> tuple[dict[str, Any], dict[str, Any]]:
        """The input and output details; raises BundleError unless they fit the manifest."""
        inputs, outputs = self._model.get_input_details(), self._model.get_output_details()
        wanted = [1, self._size, self._size, 3]
        if len(inputs) != 1 or list(inputs[0]["shape"]) != wanted:
            shapes = [i["shape"].tolist() for i in inputs]
            text = f"{bundle.path}: the model takes {shapes}, the manifest says {wanted}"
            raise BundleError(text, "shape")
        if len(outputs) != 1 or list(outputs[0]["shape"]) != [1, len(LABELS)]:
            shapes = [o["shape"].tolist() for o in outputs]
            text = f"{bundle.path}: the model gives {shapes}, not [1, {len(LABELS)}]"
            raise BundleError(text, "shape")
        _check_bytes(bundle, inputs[0])
        return inputs[0], outputs[0]


def _check_bytes(bundle: Bundle, entry: dict[str, Any]) -> None:
    """Refuse an input tensor that does not take a camera's bytes as they are."""
    kind, (scale, zero) = entry["dtype"], entry["quantization"]
    plain = kind is np.float32 or (kind is np.int8 and abs(scale - 1) < 0.01 and zero == -128)
    if not plain:
        raise BundleError(
            f"{bundle.path}: the input is {kind.__name__} with scale {scale} and zero point "
            f"{zero}, not plain bytes; convert the model with edge-fer"
        )


def _work(model: Any) -> dict[str, int]:
    """Multiply-adds a face by the precision in which they are done.

    That is the type of what an operator reads: LiteRT has int8 kernels for int8 tensors alone, and
    unpacks float16 weights when it loads them.
    """
    tensors = {d["index"]: d for d in model.get_tensor_details()}
    kinds: Counter[str] = Counter()
    for operator in model._get_ops_details():
        if operator["op_name"] not in SUMMED:
            continue
        read, weights = (tensors[i] for i in operator["inputs"][:2])
        results = tensors[operator["outputs"][0]]["shape"]
        summed = weights["shape"][list(SUMMED[operator["op_name"]])]
        kind = "int8" if read["dtype"] is np.int8 else "fp32"
        kinds[kind] += int(np.prod(results) * np.prod(summed))
    return dict(kinds) or {"unknown": 0}

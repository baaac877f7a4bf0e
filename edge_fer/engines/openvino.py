"""OpenVINO IR on the CPU, asked for the precision that the manifest names."""

from __future__ import annotations

import math
import os
from collections import Counter
from typing import Any

# Opening a model must not open a socket: no usage statistics from a device.
os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")

import numpy as np
import openvino as ov

from edge_fer.bundle import Bundle
from edge_fer.emotions import LABELS
from edge_fer.engines.scores import checked_faces, checked_scores
from edge_fer.errors import BundleError, EngineError
from edge_fer.types import FaceBatch, ScoreBatch

PRECISIONS = {"i8": "int8", "u8": "int8", "f32": "fp32", "f16": "fp16"}
"""OpenVINO's words and ours."""
WEIGHTED = ("Convolution", "FullyConnected", "MatMul")
"""Layers of a compiled graph that multiply by weights."""


class OpenvinoEngine:
    """One compiled model; batches go through it face by face."""

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        self.runtime = f"openvino {ov.__version__.partition('-')[0]}"
        self.device = device
        self._name, self._size = bundle.manifest.name, bundle.manifest.input_size
        try:
            core = ov.Core()
            model = core.read_model(bundle.file(".xml"), bundle.file(".bin"))
            _check(bundle, model, self._size)
            compiled = core.compile_model(model, "CPU", _settings(threads))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise BundleError(f"{bundle.path}: OpenVINO refuses the model ({reason})") from error
        self.work = _work(compiled)
        self.precision = max(self.work, key=lambda kind: self.work[kind])
        self._request = compiled.create_infer_request()
        # One place for every face and answer: a tensor handed over a call costs more than a copy.
        self._face = np.empty((1, self._size, self._size, 3), np.uint8)
        self._answer = np.empty((1, len(LABELS)), np.float32)
        self._request.set_input_tensor(ov.Tensor(self._face, shared_memory=True))
        self._request.set_output_tensor(ov.Tensor(self._answer, shared_memory=True))

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """(N, H, W, 3) uint8 BGR to (N, 7) float32 probabilities."""
        checked_faces(faces, self._size)
        scores = np.empty((len(faces), len(LABELS)), np.float32)
        for face, row in zip(faces, scores, strict=True):
            self._face[0] = face
            try:
                self._request.start_async()
                self._request.wait()
            except RuntimeError as error:
                raise EngineError(f"{self._name}: OpenVINO failed ({error})") from error
            row[:] = self._answer[0]
        return checked_scores(scores, self._name)


def _settings(threads: int) -> dict[str, Any]:
    # f32 for what is not INT8: the CPU plugin otherwise takes bf16 or f16 where the machine has
    # it, which is another model than the one the gate has seen.
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }


def _check(bundle: Bundle, model: ov.Model, size: int) -> None:
    """Refuse a model that is not what the manifest says."""
    wanted = [([1, size, size, 3], "u8"), ([1, len(LABELS)], "f32")]
    ports = [*model.inputs, *model.outputs]
    found = [
        (list(p.partial_shape.get_min_shape()), p.get_element_type().get_type_name()) for p in ports
    ]
    if found != wanted:
        text = f"{bundle.path}: the model takes and gives {found}, expected {wanted}"
        raise BundleError(text, "shape")


def _work(compiled: ov.CompiledModel) -> dict[str, int]:
    """Multiply-adds a face by the precision in which the compiled graph does them.

    Read from the kernel's name, such as `brgconv_avx512_f32`: the field runtimePrecision holds
    that of the stored weights where the plugin unpacks them. An output is a sum over all but the
    first axis of the weights, in grouped convolutions over all but the first two.
    """
    kinds: Counter[str] = Counter()
    for node in compiled.get_runtime_model().get_ordered_ops():
        info = node.get_rt_info()
        if str(info["layerType"].astype(str)) not in WEIGHTED:
            continue
        kernel = str(info["primitiveType"].astype(str)).lower().rpartition("_")[2]
        results = node.output(0).get_partial_shape().to_shape()
        weights = node.input_value(1).get_partial_shape().to_shape()
        kept = 2 if len(weights) == len(results) + 1 else 1
        kinds[PRECISIONS.get(kernel, kernel)] += math.prod(results) * math.prod(weights[kept:])
    return dict(kinds) or {"unknown": 0}

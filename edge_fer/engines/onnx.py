"""ONNX models by ONNX Runtime, on the device that was asked for and no other.

ONNX Runtime falls back to the CPU with no more than a logged warning. Here every operator of one
inference is looked up in the runtime's own profile: where a convolution ran elsewhere than asked,
the engine refuses to open.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from edge_fer.bundle import Bundle
from edge_fer.emotions import LABELS
from edge_fer.engines.scores import checked_faces, checked_scores
from edge_fer.errors import BundleError, ConfigError, EngineError
from edge_fer.quiet import native_stderr_closed
from edge_fer.types import FaceBatch, ScoreBatch

PROVIDERS = {
    "CPU": "CPUExecutionProvider",
    "CUDA": "CUDAExecutionProvider",
    "TENSORRT": "TensorrtExecutionProvider",
}
"""Our names of devices and ONNX Runtime's."""
HEAVY = ("Conv", "Gemm", "MatMul")
"""What an operator's name holds that must run on the device asked for; fused forms included."""
WHOLE = "TRTKernel"
"""A part of the graph that TensorRT runs as one."""
ERRORS_ONLY = 3

Run = tuple[str, str, str]
"""One operator of the profile: its name, provider and type of its first input."""


class OnnxEngine:
    """One session; batches go through it face by face."""

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        provider, self.device = _provider(device), device
        self.runtime = f"onnxruntime {onnxruntime.__version__}"
        self._name, self._size = bundle.manifest.name, bundle.manifest.input_size
        with tempfile.TemporaryDirectory() as scratch:
            options = _options(threads, Path(scratch))
            try:
                with native_stderr_closed():
                    self._session = onnxruntime.InferenceSession(
                        bundle.file(".onnx"), options, [(provider, _settings(bundle, device))]
                    )
                    _check(bundle, self._session, self._size)
                    self._entry = self._session.get_inputs()[0].name
                    runs = self._profiled()
            except (BundleError, EngineError):
                raise
            except Exception as error:  # the runtime's own types, which share no public parent
                reason = " ".join(str(error).split())[:300]
                raise BundleError(
                    f"{bundle.path}: ONNX Runtime refuses the model ({reason})"
                ) from error
        _check_device(device, provider, runs)
        self.precision = _executed(runs)

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """(N, H, W, 3) uint8 BGR to (N, 7) float32 probabilities."""
        checked_faces(faces, self._size)
        scores = np.empty((len(faces), len(LABELS)), np.float32)
        for face, row in zip(faces, scores, strict=True):
            row[:] = self._answer(face[None])[0]
        return checked_scores(scores, self._name)

    def _answer(self, face: FaceBatch) -> Any:
        try:
            return self._session.run(None, {self._entry: np.ascontiguousarray(face)})[0]
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise EngineError(f"{self._name}: ONNX Runtime failed ({reason})") from error

    def _profiled(self) -> list[Run]:
        """What ran where in one inference; the profile ends with it."""
        self._answer(np.zeros((1, self._size, self._size, 3), np.uint8))
        events = json.loads(Path(self._session.end_profiling()).read_text())
        nodes = [event["args"] for event in events if event.get("cat") == "Node"]
        return [
            (node["op_name"], node["provider"], _first_type(node))
            for node in nodes
            if "provider" in node
        ]


def _provider(device: str) -> str:
    """ONNX Runtime's name of a device; raises ConfigError where this build does not have it."""
    if device not in PROVIDERS:
        raise ConfigError(f"unknown device {device!r}: choose from {', '.join(PROVIDERS)}")
    built = onnxruntime.get_available_providers()
    if PROVIDERS[device] not in built:
        has = ", ".join(ours for ours, theirs in PROVIDERS.items() if theirs in built)
        raise ConfigError(
            f"--device {device}: the ONNX Runtime installed here knows {has} alone; install "
            "onnxruntime-gpu in its place (on a Jetson NVIDIA's own build)"
        )
    return PROVIDERS[device]


def _options(threads: int, scratch: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = ERRORS_ONLY
    options.enable_profiling = True
    options.profile_file_prefix = str(scratch / "profile")
    return options


def _settings(bundle: Bundle, device: str) -> dict[str, str]:
    """A provider's own options."""
    if device == "CUDA":
        # TF32 keeps ten bits of mantissa: another model than the one the gate has seen.
        return {"use_tf32": "0"}
    if device != "TENSORRT":
        return {}
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    cache = home / "edge-fer" / bundle.sha256[:16]
    cache.mkdir(parents=True, exist_ok=True)
    return {
        "trt_fp16_enable": str(int(bundle.manifest.precision != "fp32")),
        "trt_int8_enable": str(int(bundle.manifest.precision == "int8")),
        # Building an engine takes minutes on a board; the next start finds it here.
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(cache),
    }


def _check(bundle: Bundle, session: Any, size: int) -> None:
    """Refuse a model that is not what the manifest says."""
    wanted = [([1, size, size, 3], "tensor(uint8)"), ([1, len(LABELS)], "tensor(float)")]
    found = [(list(p.shape), p.type) for p in (*session.get_inputs(), *session.get_outputs())]
    if found != wanted:
        text = f"{bundle.path}: the model takes and gives {found}, expected {wanted}"
        raise BundleError(text, "shape")


def _check_device(device: str, provider: str, runs: list[Run]) -> None:
    """Refuse a session whose convolutions ran elsewhere; small operators may."""
    heavy = [(op, ran) for op, ran, _ in runs if WHOLE in op or any(h in op for h in HEAVY)]
    elsewhere = Counter(ran for _, ran in heavy if ran != provider)
    if elsewhere or not heavy:
        where = ", ".join(f"{count} on {name}" for name, count in elsewhere.items()) or "none"
        raise EngineError(
            f"--device {device}: of {len(heavy)} convolutions ONNX Runtime ran {where}; its "
            f"libraries for {device} do not load or lack an operator (see `edge-fer doctor`)"
        )


def _first_type(node: dict[str, Any]) -> str:
    types = node.get("input_type_shape") or [{}]
    return next(iter(types[0]), "")


def _executed(runs: list[Run]) -> str:
    """The precision in which most convolutions ran; what is inside TensorRT cannot be seen."""
    if any(WHOLE in op for op, _, _ in runs):
        return "unknown"
    names = {"float": "fp32", "float16": "fp16"}
    kinds = Counter(
        "int8" if op.startswith("QLinear") else names.get(kind, kind)
        for op, _, kind in runs
        if "Conv" in op
    )
    ((most, _),) = kinds.most_common(1) or [("unknown", 0)]
    return most

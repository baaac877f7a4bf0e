"""Runtimes that turn faces into scores; the bundle's format chooses one."""

from __future__ import annotations

import os

from edge_fer.bundle import Bundle
from edge_fer.errors import ConfigError
from edge_fer.plugins import load
from edge_fer.protocols import Engine

ENGINES = {
    "tflite": "edge_fer.engines.tflite:TfliteEngine",
    "openvino": "edge_fer.engines.openvino:OpenvinoEngine",
    "onnx": "edge_fer.engines.onnx:OnnxEngine",
    "ncs": "edge_fer.engines.myriad:MyriadEngine",
}
DEVICES = {
    "tflite": ("CPU",),
    "openvino": ("CPU",),
    "onnx": ("CPU", "CUDA", "TENSORRT"),
    "ncs": ("MYRIAD", "CPU"),
}
"""What each engine can run on; the first is taken where none is named."""
MOST_THREADS = 4
"""Boards have four cores; more do not help a network of this size."""


DEVICE = "EDGE_FER_DEVICE"
"""Environment variable: the device where none is named; processes started later inherit it."""


def open_engine(bundle: Bundle, threads: int | None = None, device: str | None = None) -> Engine:
    """Load a bundle's model; raises BundleError, ConfigError, MissingExtra or EngineError.

    It runs on the device that was named or not at all: there is no silent fall to the CPU.
    """
    name = bundle.manifest.format
    engine = load("engine", ENGINES, name)
    known = DEVICES[name]
    device = device or os.environ.get(DEVICE) or known[0]
    if device not in known:
        raise ConfigError(f"--device {device}: the engine {name} runs on {', '.join(known)}")
    opened: Engine = engine(bundle, threads or default_threads(), device)
    return opened


def default_threads() -> int:
    """The cores this process may use, at most four."""
    return min(MOST_THREADS, len(os.sched_getaffinity(0)))

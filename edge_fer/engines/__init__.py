"""Runtimes that turn faces into scores; the bundle's format chooses one."""

from __future__ import annotations

import os

from edge_fer.bundle import Bundle
from edge_fer.plugins import load
from edge_fer.protocols import Engine

ENGINES = {
    "tflite": "edge_fer.engines.tflite:TfliteEngine",
    "openvino": "edge_fer.engines.openvino:OpenvinoEngine",
}
MOST_THREADS = 4
"""Boards have four cores; more do not help a network of this size."""


def open_engine(bundle: Bundle, threads: int | None = None) -> Engine:
    """Load a bundle's model on the CPU; raises BundleError, MissingExtra or EngineError."""
    engine = load("engine", ENGINES, bundle.manifest.format)
    opened: Engine = engine(bundle, threads or default_threads())
    return opened


def default_threads() -> int:
    """The cores this process may use, at most four."""
    return min(MOST_THREADS, len(os.sched_getaffinity(0)))

"""LiteRT under either of its names; the engine and a detector both run on it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from edge_fer.errors import MissingExtra
from edge_fer.quiet import native_stderr_closed

PACKAGES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
"""Distribution to module, in the order in which they are tried."""


def installed() -> str:
    """The distribution that will run TFLite models; raises MissingExtra where there is none."""
    for distribution, module in PACKAGES.items():
        if find_spec(module.partition(".")[0]):
            return distribution
    raise MissingExtra("TFLite models need LiteRT: pip install ai-edge-litert")


def interpreter(model: bytes, threads: int) -> Any:
    """An interpreter with its tensors allocated; raises ValueError or RuntimeError.

    By content, not by path: only this way the file goes through LiteRT's verifier. Quiet, because
    LiteRT announces its delegate on stderr.
    """
    kind = import_module(PACKAGES[installed()]).Interpreter
    with native_stderr_closed():
        made = kind(model_content=model, num_threads=threads)
        made.allocate_tensors()
    return made

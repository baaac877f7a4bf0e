"""What this machine can do for Keras, and what it did it with."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

import keras

from edge_fer.errors import ConfigError

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


def gpu_name() -> str | None:
    """The first GPU that Keras' backend sees, or None."""
    if keras.backend.backend() == "torch":  # Keras 3.15 lists no devices on it
        import torch

        return "cuda:0" if torch.cuda.is_available() else None
    try:
        devices = keras.distribution.list_devices("gpu")
    except RuntimeError:  # JAX, where its build knows no GPU
        return None
    return str(devices[0]) if devices else None


def chosen_precision(asked: str) -> str:
    """Keras' policy: "auto" is mixed_bfloat16 where the hardware multiplies in it."""
    if asked not in PRECISIONS:
        raise ConfigError(f"precision {asked!r}: choose from {', '.join(PRECISIONS)}")
    if asked != "auto":
        return asked
    return "mixed_bfloat16" if gpu_name() or _cpu_has_bfloat16() else "float32"


def tools() -> dict[str, str]:
    """Versions and machine, for the record."""
    return {
        "edge_fer": metadata.version("edge-fer"),
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "device": gpu_name() or f"CPU {platform.machine()}",
        "python": platform.python_version(),
    }


def peak_memory() -> int | None:
    """Most bytes that this process ever held in memory; None where nobody counts (Windows)."""
    try:
        import resource
    except ModuleNotFoundError:
        return None
    # Kilobytes, but bytes on macOS: getrusage(2) of each.
    unit = 1 if platform.system() == "Darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def _cpu_has_bfloat16() -> bool:
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False

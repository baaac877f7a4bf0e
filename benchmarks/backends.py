"""Which Keras backend sees a GPU: each is asked in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

from edge_fer.errors import ConfigError, MissingExtra

BACKENDS = ("tensorflow", "jax", "torch")
"""In the order in which they are asked."""
CHOSEN = "KERAS_BACKEND"
"""Keras' own environment variable: set, only that backend is asked."""
ASK = "from edge_fer.training.machine import gpu_name; print(gpu_name() or '')"
PATIENCE_S = 300.0


def choose(cpu: bool) -> str:
    """The first backend that sees a GPU; with `cpu` the first one that is installed.

    Raises MissingExtra without Keras or any backend, ConfigError where none sees a GPU.
    """
    asked = os.environ.get(CHOSEN)
    if asked and asked not in BACKENDS:
        raise ConfigError(f"{CHOSEN}={asked}: choose from {', '.join(BACKENDS)}")
    wanted = [asked] if asked else list(BACKENDS)
    here = [name for name in wanted if find_spec(name)]
    if not find_spec("keras") or not here:
        missing = "keras" if not find_spec("keras") else " or ".join(wanted)
        raise MissingExtra(
            f"the baseline needs the package {missing}: pip install 'edge-fer[train]'"
        )
    if cpu:
        return here[0]
    seeing = next((name for name in here if sees_gpu(name)), None)
    if seeing is None:
        raise ConfigError(
            f"no GPU is seen by {', '.join(here)}: install a backend's GPU build, or measure the "
            "baseline on the CPU with --cpu (it is then named so)"
        )
    return seeing


def sees_gpu(backend: str) -> bool:
    """Keras on this backend names a GPU."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            env=environment(backend, cpu=False),
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


def environment(backend: str, cpu: bool) -> dict[str, str]:
    """Of a process that runs Keras on this backend; `cpu` hides every GPU from it."""
    quiet = {**os.environ, CHOSEN: backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Memory is taken as it is needed: the peak would otherwise be all that there is.
    quiet |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    return {**quiet, "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"} if cpu else quiet

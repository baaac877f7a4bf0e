"""Training runs in processes of their own, which can be killed and held to small files."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SMALL = "size=71,width=0.05,middle_blocks=0,batch=2"
PATIENCE = 1500
"""Seconds, on a machine that does much else."""


def command(*arguments: str | Path) -> list[str]:
    asked = ("train", "--init", "random", "--precision", "float32", *arguments)
    return [sys.executable, "-m", "edge_fer.cli", *map(str, asked)]


def environment() -> dict[str, str]:
    return {**os.environ, "TF_DETERMINISTIC_OPS": "1", "KERAS_BACKEND": "tensorflow"}


def train(*arguments: str | Path, largest: int | None = None) -> subprocess.CompletedProcess[str]:
    """A run to its end; no file of it may grow beyond `largest` bytes."""

    def hold() -> None:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    return subprocess.run(
        command(*arguments), env=environment(), preexec_fn=hold, capture_output=True, text=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip


def kill_when(ready: Callable[[], bool], *arguments: str | Path) -> None:
    """A run that gets SIGKILL as soon as something is so."""
    with subprocess.Popen(
        command(*arguments), env=environment(), stderr=subprocess.PIPE, text=True
    ) as child:
        end = time.monotonic() + PATIENCE
        while not ready():
            assert child.poll() is None, child.stderr.read() if child.stderr else ""
            assert time.monotonic() < end
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL

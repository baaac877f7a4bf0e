"""The peaks of the machine that this runs on, measured; prints one line of JSON.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.estimate.here

A big matrix product and a big copy on one core, each by the processor time that it took: what else
runs on the machine hardly shows. Integers are not measured: by the instructions that the processor
names they are four times as fast (a dot product of four bytes) or twice.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.estimate.boards import BOARDS, CPUS, X86
from benchmarks.estimate.roofline import Device, Like
from edge_fer.errors import EngineError

SIDE = 1536
"""Of the matrices: far beyond the caches of one core."""
COPIED = 128 * 2**20
"""Bytes of the copied block."""
REPEATS = 7
DOT_PRODUCTS = ("avx512_vnni", "avx_vnni", "asimddp")
"""Flags of /proc/cpuinfo: four 8-bit products in the place of one float."""


def devices(cores: int) -> tuple[Device, ...]:
    """This machine on so many cores, in float32 and in INT8; raises EngineError."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.estimate.here"],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise EngineError(f"this machine's peaks could not be measured: {done.stderr.strip()}")
    return described(json.loads(done.stdout), cores)


def described(peaks: dict[str, Any], cores: int) -> tuple[Device, ...]:
    """Measured peaks of one core as devices, with the shares that like processors reach."""
    source = "measured here: a matrix product and a copy on one core, times the cores"
    found = []
    for precision, times in (("fp32", 1.0), ("int8", float(peaks["int8_times"]))):
        peak = peaks["gmacs"] * cores * times
        alike = X86 if peaks["x86"] and precision == "fp32" else _boards(precision)
        shares = [(share, one.name) for one in alike for share in one.efficiencies()]
        found.append(
            Device(
                f"this machine, {cores} cores",
                precision,
                peak,
                peaks["gbytes"],
                source,
                tuple(_like(*told, peak) for told in (min(shares), max(shares))),
            )
        )
    return tuple(found)


def _boards(precision: str) -> tuple[Device, ...]:
    return tuple(d for name in CPUS for d in BOARDS[name] if d.precision == precision)


def _like(share: float, name: str, peak: float) -> Like:
    """A share of the peak in the form of a like model of one billion multiply-accumulates."""
    return Like(f"{100 * share:.0f} % of the peak", 1.0, 1000 / (share * peak), f"as on {name}")


def measure() -> dict[str, Any]:
    """Billions of multiply-accumulates and of bytes a second on one core."""
    left = np.random.default_rng(1).random((SIDE, SIDE)).astype(np.float32)
    right, product = left.T.copy(), np.empty_like(left)
    source = np.zeros(COPIED, np.uint8)
    target = np.ones_like(source)
    return {
        "gmacs": SIDE**3 / _least(lambda: np.matmul(left, right, out=product)) / 1e9,
        "gbytes": 2 * COPIED / _least(lambda: np.copyto(target, source)) / 1e9,
        "int8_times": 4.0 if _has_dot_product() else 2.0,
        "x86": platform.machine() in ("x86_64", "AMD64"),
    }


def _least(work: Callable[[], object]) -> float:
    """Least processor seconds of this thread over a few repeats, the first one dropped."""
    taken = []
    for _ in range(REPEATS + 1):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return min(taken[1:])


def _has_dot_product(root: Path = Path("/")) -> bool:
    try:
        words = set((root / "proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return not words.isdisjoint(DOT_PRODUCTS)


if __name__ == "__main__":
    print(json.dumps(measure()))

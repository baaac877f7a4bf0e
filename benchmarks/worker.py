"""The far end: one model in a fresh process, so that its memory and times are its own.

Reads one JSON command a line from standard input and answers each with one line. What libraries
print goes to standard error: the answers leave by a descriptor that they do not know.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from math import prod
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from benchmarks.models import int8_share, open_baseline, open_bundle_engine
from benchmarks.records import BASELINE
from edge_fer.errors import EdgeFerError
from edge_fer.types import FaceBatch, Image


class Worker:
    """The model, the faces, and what can be asked of them."""

    def load(
        self, role: str, path: str, cores: list[int], precision: str = "fp32"
    ) -> dict[str, Any]:
        """Hold the process to `cores`, then import the runtime and make the model ready."""
        # Before any runtime starts its threads: they inherit it, and size their pools by it.
        os.sched_setaffinity(0, cores)
        self._path, self._threads = Path(path), len(cores)
        began = time.perf_counter_ns()
        if role == BASELINE:
            self._engine, facts = open_baseline(self._path, self._threads, precision)
        else:
            self._engine, facts = open_bundle_engine(self._path, self._threads)
        return {"load_ms": (time.perf_counter_ns() - began) / 1e6, "model": facts}

    def see(self, path: str) -> dict[str, Any]:
        """Choose the faces.

        They are read one by one: pages of a mapped file would count as memory of the process.
        """
        mapped = np.load(path, mmap_mode="r")
        self._pictures, self._shape, self._offset = path, mapped.shape, mapped.offset
        return {"count": self._shape[0]}

    def time(self, start: int, count: int, seconds: float = 0.0) -> dict[str, Any]:
        """Nanoseconds of single inferences: at least `count`, and as many as fill `seconds`."""
        return {"ns": self._timed(start, count, seconds, 1)}

    def stream(self, batch: int, seconds: float) -> dict[str, Any]:
        """Nanoseconds of requests of `batch` faces, at least three."""
        return {"ns": self._timed(0, 3, seconds, batch)}

    def predict(self, start: int, stop: int) -> dict[str, Any]:
        """Scores of a stretch of faces."""
        return {"scores": self._engine.infer(self._batch(start, stop)).tolist()}

    def memory(self) -> dict[str, Any]:
        """Largest and present resident memory of this process."""
        steady = steady_rss_bytes()  # first: it may still grow by a page
        return {"peak_rss_bytes": max(peak_rss_bytes(), steady), "steady_rss_bytes": steady}

    def work(self) -> dict[str, Any]:
        """Share of the multiplications on 8-bit integers; None where it cannot be known."""
        return {"int8_share": int8_share(self._path, self._threads)}

    def device(self) -> dict[str, Any]:
        """What Keras computes on, and its memory."""
        from benchmarks.keras_device import describe, mixed

        return {**describe(), "mixed": mixed()}

    def _batch(self, start: int, stop: int) -> FaceBatch:
        """(stop - start, H, W, 3) of the chosen faces, which come round again."""
        return np.stack([self._picture(number) for number in range(start, stop)])

    def _picture(self, number: int) -> Image:
        count, *shape = self._shape
        size = prod(shape)
        at = self._offset + number % count * size
        return np.fromfile(self._pictures, np.uint8, size, offset=at).reshape(shape)

    def _infer(self, faces: FaceBatch) -> None:
        """What is timed."""
        self._engine.infer(faces)

    def _timed(self, start: int, count: int, seconds: float, batch: int) -> list[int]:
        taken: list[int] = []
        left = int(seconds * 1e9)
        while len(taken) < count or left > 0:
            first = start + len(taken) * batch
            faces = self._batch(first, first + batch)
            began = time.perf_counter_ns()
            self._infer(faces)
            taken.append(time.perf_counter_ns() - began)
            left -= taken[-1]
        return taken


def peak_rss_bytes() -> int:
    """VmHWM where the kernel tells it.

    `ru_maxrss` starts at the size of the process that forked, so a big parent would show.
    """
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def steady_rss_bytes() -> int:
    """Resident memory now."""
    return _status("VmRSS") or peak_rss_bytes()


def _status(name: str) -> int | None:
    """A size in /proc/self/status, in bytes."""
    try:
        found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def answer(worker: Worker, line: str) -> dict[str, Any]:
    """Carry out one command; an error of ours or of a runtime becomes an answer."""
    command = json.loads(line)
    try:
        result: dict[str, Any] = getattr(worker, command.pop("do"))(**command)
    except EdgeFerError as error:
        return {"kind": type(error).__name__, "error": str(error)}
    except Exception as error:
        return {"kind": "EngineError", "error": f"{type(error).__name__}: {error}"}
    return result


def serve(commands: TextIO, answers: TextIO, worker: Worker) -> None:
    """Answer commands until there are none."""
    for line in commands:
        answers.write(json.dumps(answer(worker, line)) + "\n")
        answers.flush()


def private_stdout() -> TextIO:
    """Standard output for the answers alone; descriptor 1 leads to standard error from now on."""
    private = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return private


if __name__ == "__main__":
    serve(sys.stdin, private_stdout(), Worker())

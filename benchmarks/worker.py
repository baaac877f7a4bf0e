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
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from benchmarks.models import open_baseline, open_bundle_engine
from benchmarks.report import BASELINE
from edge_fer.errors import EdgeFerError
from edge_fer.types import FaceBatch


class Worker:
    """The model, the faces, and what can be asked of them."""

    def load(self, role: str, path: str, cores: list[int]) -> dict[str, Any]:
        """Hold the process to `cores`, then import the runtime and make the model ready."""
        # Before any runtime starts its threads: they inherit it, and size their pools by it.
        os.sched_setaffinity(0, cores)
        began = time.perf_counter_ns()
        opened = open_baseline if role == BASELINE else open_bundle_engine
        self._engine, facts = opened(Path(path), len(cores))
        return {"load_ms": (time.perf_counter_ns() - began) / 1e6, "model": facts}

    def see(self, path: str) -> dict[str, Any]:
        """Map the faces; pages are read when they are used."""
        self._faces: FaceBatch = np.load(path, mmap_mode="r")
        return {"count": len(self._faces)}

    def time(self, start: int, count: int) -> dict[str, Any]:
        """Nanoseconds of single inferences, one after the other."""
        # A copy, so that reading the file is not timed.
        faces = [np.array(self._faces[[i % len(self._faces)]]) for i in range(start, start + count)]
        taken = []
        for face in faces:
            began = time.perf_counter_ns()
            self._engine.infer(face)
            taken.append(time.perf_counter_ns() - began)
        return {"ns": taken}

    def predict(self, start: int, stop: int) -> dict[str, Any]:
        """Scores of a stretch of faces."""
        return {"scores": self._engine.infer(np.array(self._faces[start:stop])).tolist()}

    def memory(self) -> dict[str, Any]:
        """Largest resident memory of this process."""
        return {"peak_rss_bytes": peak_rss_bytes()}


def peak_rss_bytes() -> int:
    """VmHWM where the kernel tells it.

    `ru_maxrss` starts at the size of the process that forked, so a big parent would show.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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


def serve(commands: TextIO, answers: TextIO) -> None:
    """Answer commands until there are none."""
    worker = Worker()
    for line in commands:
        answers.write(json.dumps(answer(worker, line)) + "\n")
        answers.flush()


def _private_stdout() -> TextIO:
    """Standard output for the answers alone; descriptor 1 leads to standard error from now on."""
    private = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return private


if __name__ == "__main__":
    serve(sys.stdin, _private_stdout())

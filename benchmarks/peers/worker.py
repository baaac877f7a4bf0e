"""The far end for a peer, run by its own Python: the same lines of JSON as `benchmarks.worker`.

Only the standard library and NumPy: the peer's environment has no edge-fer.

    PYTHON worker.py NAME faces|frames [FILES]
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import time
from math import prod
from pathlib import Path
from typing import Any

ADAPTERS = {
    "fer": ("fer", "load", "watch"),
    "fer-keras": ("fer", "load_keras", "watch_keras"),
    "facex": ("facex", "load", "watch"),
    "deepface": ("deepface", "load", "watch"),
    "hsemotion-onnx": ("hsemotion", "load", None),
    "emotions-recognition-retail-0003": ("retail", "load", None),
}
"""Peer to module and functions of `adapters`: for faces, and for frames where it has a detector."""
LABELS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger")
"""As `edge_fer.emotions` has them, which cannot be imported here; a test compares the two."""
WORDS = {
    "happiness": "happy", "sadness": "sad", "angry": "anger", "surprised": "surprise",
}  # fmt: skip
"""Other words for the seven; an answer that is none of them does not count."""


class Worker:
    """One peer, the faces or frames, and what can be asked of them."""

    def __init__(self, name: str, way: str, files: Path | None) -> None:
        self._name, self._way, self._files = name, way, files

    def load(self, cores: list[int], **_: Any) -> dict[str, Any]:
        """Hold the process to `cores`, import the package, make its model ready."""
        os.sched_setaffinity(0, cores)
        began = time.perf_counter_ns()
        module, faces, frames = ADAPTERS[self._name]
        adapter = _adapter(module)
        function = faces if self._way == "faces" else frames
        assert function, "brings no face detector"
        self._answer = getattr(adapter, function)(self._files, len(cores))
        return {"load_ms": (time.perf_counter_ns() - began) / 1e6, "side": adapter.SIDE}

    def see(self, path: str) -> dict[str, Any]:
        """Choose the faces, or the frames; a mapped file would count as the peer's memory."""
        import numpy as np

        mapped = np.load(path, mmap_mode="r")
        self._pictures, self._shape, self._offset = path, mapped.shape, mapped.offset
        return {"count": self._shape[0]}

    def time(self, start: int, count: int, seconds: float = 0.0) -> dict[str, Any]:
        """Nanoseconds of single inferences: at least `count`, and as many as fill `seconds`."""
        taken: list[int] = []
        left = int(seconds * 1e9)
        while len(taken) < count or left > 0:
            face = self._face(start + len(taken))
            began = time.perf_counter_ns()
            self._answer(face)
            taken.append(time.perf_counter_ns() - began)
            left -= taken[-1]
        return {"ns": taken}

    def predict(self, start: int, stop: int) -> dict[str, Any]:
        """Scores in the order of `LABELS`; 0 for what the peer does not know."""
        return {"scores": [seven(self._answer(self._face(i))) for i in range(start, stop)]}

    def watch(self, start: int, stop: int) -> dict[str, Any]:
        """The faces found in each of some frames: corners in pixels, scores as in `predict`."""
        return {"seen": [[_plain(one) for one in self._answer(self._face(i))]
                         for i in range(start, stop)]}  # fmt: skip

    def memory(self) -> dict[str, Any]:
        """Largest and present resident memory."""
        status = Path("/proc/self/status").read_text()
        peak, now = (int(re.findall(rf"{key}:\s+(\d+) kB", status)[0]) * 1024
                     for key in ("VmHWM", "VmRSS"))  # fmt: skip
        return {"peak_rss_bytes": peak, "steady_rss_bytes": now}

    def _face(self, number: int) -> Any:
        import numpy as np

        count, *shape = self._shape
        size = prod(shape)
        at = self._offset + number % count * size
        return np.fromfile(self._pictures, np.uint8, size, offset=at).reshape(shape)


def seven(scores: dict[str, float]) -> list[float]:
    """A peer's own labels as the seven."""
    told = {WORDS.get(label.lower(), label.lower()): score for label, score in scores.items()}
    return [told.get(label, 0.0) for label in LABELS]


def _plain(found: Any) -> list[list[float]]:
    """Ready for JSON, which knows no numbers of NumPy."""
    (left, top, width, height), scores = found
    corners = (left, top, left + width, top + height)
    return [[int(place) for place in corners], [float(score) for score in seven(scores)]]


def _adapter(name: str) -> Any:
    """By path, under a name of its own: the folder must not hide the packages it is named after."""
    path = Path(__file__).parent / "adapters" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"adapter_of_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Answer commands until there are none; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # The script's own folder would come first: it holds nothing that a package may import.
    sys.path.pop(0)
    name, way, *files = sys.argv[1:]
    worker = Worker(name, way, Path(files[0]) if files else None)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            result = getattr(worker, command.pop("do"))(**command)
        except BaseException as error:  # some packages end the process instead of raising
            result = {"kind": "EngineError", "error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(result) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

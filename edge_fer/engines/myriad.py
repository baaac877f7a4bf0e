"""IR of version 10 on an Intel Neural Compute Stick 2, by the last runtime that can drive it.

That runtime needs an old Python, so it runs in a worker process with an environment of its own
(`edge_fer.engines.myriad_home`); faces and scores go through shared memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edge_fer.bundle import Bundle
from edge_fer.emotions import LABELS
from edge_fer.engines.myriad_home import home, python_of
from edge_fer.engines.myriad_process import ROOM, Job, Worker
from edge_fer.engines.myriad_stick import check, need_libusb
from edge_fer.engines.scores import checked_faces, checked_scores
from edge_fer.types import FaceBatch, ScoreBatch

PRECISIONS = {"FP16": "fp16", "FP32": "fp32"}
"""That runtime's words and ours."""


class MyriadEngine:
    """One worker; batches go through it in parts, face by face.

    Its device is MYRIAD, the stick, or CPU: the same runtime's plugin that needs no stick.
    """

    def __init__(self, bundle: Bundle, threads: int, device: str = "MYRIAD") -> None:
        self._name, self._size = bundle.manifest.name, bundle.manifest.input_size
        self._worker = Worker(_job(self._name, bundle.files, self._size, device, threads))
        try:
            facts = self._worker.facts()
            check(f"{bundle.path}", self._size, facts)
        except Exception:
            self._worker.close()
            raise
        self.runtime, self.device = facts["runtime"], device
        self.precision = PRECISIONS.get(facts["precision"], facts["precision"])

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """(N, H, W, 3) uint8 BGR to (N, 7) float32 probabilities."""
        checked_faces(faces, self._size)
        scores = np.empty((len(faces), len(LABELS)), np.float32)
        for start in range(0, len(faces), ROOM):
            part = slice(start, start + ROOM)
            scores[part] = self._worker.infer(faces[part])
        return checked_scores(scores, self._name)

    def close(self) -> None:
        """End the worker and free the stick."""
        self._worker.close()


def layers_on_stick(name: str, files: Mapping[str, bytes], size: int) -> int:
    """The number of a model's layers, all of which a stick would run; needs no stick.

    Raises BundleError naming those it would not run, and MissingExtra as the engine does.
    """
    worker = Worker(replace(_job(name, files, size, "MYRIAD"), load=False))
    try:
        facts = worker.facts()
        check(name, size, facts)
    finally:
        worker.close()
    return int(facts["layers"])


def _job(name: str, files: Mapping[str, bytes], size: int, device: str, threads: int = 1) -> Job:
    python = python_of(home())
    if device == "MYRIAD":
        need_libusb()
    graph, weights = files.get("model.xml", b""), files.get("model.bin", b"")
    return Job(name, python, device, graph, weights, size, threads)

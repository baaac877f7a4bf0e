"""IR of version 10 on an Intel Neural Compute Stick 2, by the last runtime that can drive it.

That runtime needs an old Python, so it runs in a worker process with an environment of its own
(`edge_fer.engines.myriad_home`); faces and scores go through shared memory.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_fer.bundle import Bundle
from edge_fer.emotions import LABELS
from edge_fer.engines.myriad_home import home, python_of
from edge_fer.engines.myriad_process import ROOM, Job, Worker
from edge_fer.engines.myriad_stick import check, need_libusb
from edge_fer.engines.scores import checked_faces, checked_scores
from edge_fer.errors import ConfigError
from edge_fer.types import FaceBatch, ScoreBatch

DEVICES = ("MYRIAD", "CPU")
"""The stick, or the same runtime's CPU plugin, which needs none."""
PRECISIONS = {"FP16": "fp16", "FP32": "fp32"}
"""That runtime's words and ours."""


class MyriadEngine:
    """One worker; batches go through it in parts, face by face."""

    def __init__(self, bundle: Bundle, threads: int, device: str = DEVICES[0]) -> None:
        if device not in DEVICES:
            raise ConfigError(f"device {device!r}: choose from {', '.join(DEVICES)}")
        self._name, self._size = bundle.manifest.name, bundle.manifest.input_size
        self._worker = Worker(_job(bundle, device, threads))
        try:
            facts = self._worker.facts()
            check(bundle, facts)
        except Exception:
            self._worker.close()
            raise
        self.runtime = f"{facts['runtime']} on {device}"
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


def layers_on_stick(bundle: Bundle) -> int:
    """The number of layers, all of which a stick would run; needs the plugin, but no stick.

    Raises BundleError naming those it would not run, and MissingExtra as the engine does.
    """
    worker = Worker(replace(_job(bundle, "MYRIAD"), load=False))
    try:
        facts = worker.facts()
        check(bundle, facts)
    finally:
        worker.close()
    return int(facts["layers"])


def _job(bundle: Bundle, device: str, threads: int = 1) -> Job:
    manifest, python = bundle.manifest, python_of(home())
    if device == "MYRIAD":
        need_libusb()
    model = bundle.file(".xml"), bundle.file(".bin")
    return Job(manifest.name, python, device, *model, manifest.input_size, threads)

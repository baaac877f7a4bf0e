"""What every tensor of a float model does on every face: the ground for ranges and for outliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from edge_fer.types import FaceBatch

LOUD = 4.0
"""Times the median face's peak, in any tensor, beyond which a face is left out of calibration.

Over 300 FER2013 training faces this measure has its median at 1.6, its 90th percentile at 4.0 and
its 99th at 13; the two faces that ruined a plain INT8 conversion lay at 60 and 190. Ranges are
taken near the extremes of what is left, so the limit is strict: a tenth of the faces go.
"""


@dataclass(frozen=True, slots=True)
class Activations:
    """Extremes of T tensors over N faces."""

    tensors: tuple[str, ...]
    lows: NDArray[np.float32]
    """(N, T)"""
    highs: NDArray[np.float32]
    """(N, T)"""

    def loudness(self) -> NDArray[np.float32]:
        """(N,) each face's largest peak, over tensors, in units of the tensor's median peak."""
        peaks = np.maximum(np.abs(self.lows), np.abs(self.highs))
        medians = np.median(peaks, axis=0)
        return np.asarray((peaks / np.maximum(medians, 1e-6)).max(axis=1), np.float32)

    def loud_faces(self) -> list[int]:
        """Faces that would stretch ranges for all others."""
        return [int(i) for i in np.flatnonzero(self.loudness() > LOUD)]

    def kept(self, faces: NDArray[np.integer]) -> Activations:
        """The same tensors over some of the faces."""
        return Activations(self.tensors, self.lows[faces], self.highs[faces])


def observe(
    model: bytes, faces: FaceBatch, progress: Callable[[int, int], None], threads: int = 2
) -> Activations:
    """Run a float TFLite model on (N, H, W, 3) bytes and note every tensor's extremes."""
    interpreter = Interpreter(
        model_content=model, num_threads=threads, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    watched: list[tuple[int, str]] = []
    lows, highs = [], []
    for number, face in enumerate(faces):
        interpreter.set_tensor(entry, face[None].astype(np.float32))
        interpreter.invoke()
        watched = watched or _activations(interpreter)
        values = [interpreter.get_tensor(index) for index, _ in watched]
        lows.append([float(v.min()) for v in values])
        highs.append([float(v.max()) for v in values])
        progress(number + 1, len(faces))
    names = tuple(name for _, name in watched)
    return Activations(names, np.array(lows, np.float32), np.array(highs, np.float32))


def _activations(interpreter: Interpreter) -> list[tuple[int, str]]:
    """The float tensors that depend on the face: inputs and outputs of operators, no constants."""
    details = interpreter.get_tensor_details()
    constants = _constants(interpreter)
    return [
        (d["index"], d["name"])
        for d in details
        if d["dtype"] is np.float32 and d["name"] and d["index"] not in constants
    ]


def _constants(interpreter: Interpreter) -> set[int]:
    """Tensors that no operator writes, but for the input."""
    written = {i for op in interpreter._get_ops_details() for i in op["outputs"]}
    entries = {d["index"] for d in interpreter.get_input_details()}
    return {d["index"] for d in interpreter.get_tensor_details()} - written - entries

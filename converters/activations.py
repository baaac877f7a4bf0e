"""What every tensor of a float model does on every face: the ground for ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from converters.loud import loud_faces
from converters.ranges import Range, Rule, Seen
from edge_fer.types import FaceBatch

SAMPLE = 256
"""Numbers drawn from a tensor on each face."""


@dataclass(frozen=True, slots=True)
class Activations:
    """Extremes of T tensors over N faces."""

    tensors: tuple[str, ...]
    lows: NDArray[np.float32]
    """(N, T)"""
    highs: NDArray[np.float32]
    """(N, T)"""
    values: NDArray[np.float32] | None = None
    """(N, T, SAMPLE) drawn from each tensor; only the rules that search a range need them."""

    def loud_faces(self) -> list[int]:
        """Faces that would stretch ranges for all others."""
        return loud_faces(np.maximum(np.abs(self.lows), np.abs(self.highs)))

    def kept(self, faces: NDArray[np.integer]) -> Activations:
        """The same tensors over some of the faces."""
        values = None if self.values is None else self.values[faces]
        return Activations(self.tensors, self.lows[faces], self.highs[faces], values)

    def ranges(self, rule: Rule) -> dict[str, Range]:
        """Tensor to its range."""
        nothing = np.empty((0, len(self.tensors), 0), np.float32)
        drawn = nothing if self.values is None else self.values
        return {
            name: rule(Seen(self.lows[:, i], self.highs[:, i], drawn[:, i].ravel()))
            for i, name in enumerate(self.tensors)
        }


def observe(
    model: bytes, faces: FaceBatch, progress: Callable[[int, int], None], threads: int = 2
) -> Activations:
    """Run a float TFLite model on (N, H, W, 3) bytes and note every tensor's extremes."""
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # that it is meant for looking into a model: we do
        interpreter = Interpreter(
            model_content=model, num_threads=threads, experimental_preserve_all_tensors=True
        )
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    watched: list[tuple[int, str]] = []
    rng = np.random.default_rng(0)
    lows, highs, drawn = [], [], []
    for number, face in enumerate(faces):
        interpreter.set_tensor(entry, face[None].astype(np.float32))
        interpreter.invoke()
        watched = watched or _activations(interpreter)
        values = [interpreter.get_tensor(index) for index, _ in watched]
        lows.append([float(v.min()) for v in values])
        highs.append([float(v.max()) for v in values])
        drawn.append([v.ravel()[rng.integers(0, v.size, SAMPLE)] for v in values])
        progress(number + 1, len(faces))
    names = tuple(name for _, name in watched)
    return Activations(names, *(np.array(found, np.float32) for found in (lows, highs, drawn)))


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

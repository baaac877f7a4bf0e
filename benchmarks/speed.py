"""INT8 against float32, and our engine against its bare runtime: paired, interleaved.

    python -m benchmarks.speed bundles/xception-fp32-openvino bundles/xception-int8-openvino

Each round times every bundle in turn, first through `engine.infer`, then by a loop on the runtime
alone with the same face already in its input. What is printed is the median over rounds of each
round's ratio, so a machine that slows down slows both sides down.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_fer.bundle import Bundle, open_bundle
from edge_fer.datasets.shipped import check_faces
from edge_fer.engines import open_engine
from edge_fer.types import FaceBatch

REPEATS = 5
"""Inferences a round; the median is the round's figure."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One bundle, ready to be timed."""

    name: str
    infer: Callable[[], Any]
    bare: Callable[[], Any]


def subject(bundle: Bundle, threads: int) -> Subject:
    """Our engine and the runtime beside it, each with a model of its own."""
    face = check_faces(bundle.manifest.input_size)[:1]
    engine = open_engine(bundle, threads)
    bare = BARE[bundle.manifest.format](bundle, threads, face)
    return Subject(bundle.path.name, lambda: engine.infer(face), bare)


def _tflite(bundle: Bundle, threads: int, face: FaceBatch) -> Callable[[], Any]:
    from edge_fer.litert import interpreter

    model = interpreter(bundle.file(".tflite"), threads)
    entry = model.get_input_details()[0]
    leaving = model.get_output_details()[0]["index"]
    as_int8 = entry["dtype"] is np.int8
    encoded = (face ^ 0x80).view(np.int8) if as_int8 else face.astype(np.float32)

    def once() -> None:
        model.set_tensor(entry["index"], encoded)
        model.invoke()
        model.get_tensor(leaving)

    return once


def _openvino(bundle: Bundle, threads: int, face: FaceBatch) -> Callable[[], Any]:
    import openvino as ov

    core = ov.Core()
    model = core.read_model(bundle.file(".xml"), bundle.file(".bin"))
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    request.infer([face])

    def once() -> None:
        # What benchmark_app does in its synchronous mode.
        request.start_async()
        request.wait()

    return once


BARE = {"tflite": _tflite, "openvino": _openvino}


def measured(subjects: list[Subject], rounds: int) -> NDArray[np.float64]:
    """(subjects, 2, rounds) milliseconds: through the engine, and bare."""
    found = np.zeros((len(subjects), 2, rounds))
    for number in range(-2, rounds):  # two rounds to warm up
        for i, one in enumerate(subjects):
            for kind, call in enumerate((one.infer, one.bare)):
                taken = _median_ms(call)
                if number >= 0:
                    found[i, kind, number] = taken
    return found


def _median_ms(call: Callable[[], Any]) -> float:
    call()
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    return float(np.median(taken))


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundles", nargs="+", type=Path, help="the first is the yardstick")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    subjects = [subject(open_bundle(path), asked.threads) for path in asked.bundles]
    found = measured(subjects, asked.rounds)
    for one, (engine, bare) in zip(subjects, found, strict=True):
        print(
            f"{one.name:32} p50 {np.median(engine):7.3f} ms, best {engine.min():7.3f} ms; "
            f"{np.median(found[0, 0] / engine):5.2f} times {subjects[0].name}; "
            f"engine to bare loop {np.median(engine / bare):.3f}"
        )


if __name__ == "__main__":
    main()

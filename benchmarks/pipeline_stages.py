"""The daemon's own pipeline against detector and engine alone, in one interleaved run.

Both get the same frames in turn, in blocks whose order changes: what else the machine does slows
them alike. Sinks are real ones. The stages are timed where the parts are called; `capture` is
what the analysis waits for a frame, which a thread decodes while the last one is analysed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

import numpy as np

from benchmarks.pipeline_clip import Clip
from edge_fer import pipeline
from edge_fer.bundle import Bundle
from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.pipeline import Recognizer
from edge_fer.preprocess import crop_face
from edge_fer.protocols import Engine, FaceDetector
from edge_fer.sinks import Sinks
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.metrics import Metrics
from edge_fer.tracking import Tracker
from edge_fer.types import FaceBatch, Frame

BLOCK = 10
"""Frames from one change of turns to the next."""
STAGES = ("capture", "detect", "track", "crop", "infer", "smooth", "sinks", "rest")


@dataclass
class Stages:
    """Milliseconds of every stage, a list entry a frame."""

    whole: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    """Of the medians of two neighbouring blocks."""
    of: dict[str, list[float]] = field(default_factory=dict)
    faces: list[int] = field(default_factory=list)


class Stopwatch:
    """Adds up nanoseconds by name."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = dict.fromkeys(STAGES, 0)

    @contextmanager
    def wrapped(self, *places: tuple[Any, str, str]) -> Iterator[None]:
        """Time the functions (owner, attribute, stage) while the block lasts."""
        kept = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
        try:
            for owner, name, stage in places:
                setattr(owner, name, self._timed(getattr(owner, name), stage))
            yield
        finally:
            for owner, name, function in kept:
                setattr(owner, name, function)

    def _timed(self, function: Any, stage: str) -> Any:
        def timed(*args: Any, **options: Any) -> Any:
            start = perf_counter_ns()
            try:
                return function(*args, **options)
            finally:
                self.spent[stage] += perf_counter_ns() - start

        return timed


def measure(
    clip: Clip,
    bundle: Bundle,
    detector: FaceDetector,
    engine: Engine,
    sinks: Sequence[str],
    rounds: int,
    captured: Iterator[Frame],
    seed: int = 0,
) -> Stages:
    """`rounds` passes over the clip; `captured` gives the same frames again and again."""
    crops = _crops(clip, detector, bundle.manifest.input_size)
    order, result = random.Random(seed), Stages(of={name: [] for name in STAGES})
    config = RunConfig(sinks=tuple(sinks), purpose="benchmark", device="bench")
    metrics, events = Metrics(), Events(config, bundle)
    recognizer = Recognizer(detector, engine, bundle.manifest.input_size, tracker=Tracker())
    with closing(Sinks(sinks, Setting(config, metrics))) as opened:
        opened.write(events.hello(engine.precision, engine.runtime, "benchmark"))
        opened.write(events.state("ok"))
        turn = _Turn(clip, recognizer, events, opened, captured, detector, engine, crops)
        # Once through: then both sides begin with the first frame.
        turn.run(range(len(clip.frames)), Stages(of={name: [] for name in STAGES}))
        for start in [b for _ in range(rounds) for b in range(0, len(clip.frames), BLOCK)]:
            block = range(start, min(start + BLOCK, len(clip.frames)))
            sides = [turn.run, turn.run_alone]
            order.shuffle(sides)
            for side in sides:
                side(block, result)
            n = len(block)
            whole, alone = np.median(result.whole[-n:]), np.median(result.alone[-n:])
            result.ratios.append(float(whole / alone))
    return result


@dataclass
class _Turn:
    clip: Clip
    recognizer: Recognizer
    events: Events
    sinks: Sinks
    captured: Iterator[Frame]
    detector: FaceDetector
    engine: Engine
    crops: Sequence[FaceBatch | None]

    def run(self, block: range, result: Stages) -> None:
        """The whole way of some frames."""
        for _ in block:
            watch = Stopwatch()
            smoother = self.recognizer._smoother
            places = (
                *((self.detector, "detect", "detect"), (self.engine, "infer", "infer")),
                *((self.recognizer._tracker, "update", "track"), (pipeline, "crop_face", "crop")),
                (smoother, "smooth", "smooth"),
            )
            with watch.wrapped(*places):
                start = perf_counter_ns()
                frame = next(self.captured)
                watch.spent["capture"] = perf_counter_ns() - start
                recognition = self.recognizer.recognize(frame)
                handed = perf_counter_ns()
                self.sinks.write(self.events.update(recognition))
                end = perf_counter_ns()
            watch.spent["sinks"] = end - handed
            watch.spent["rest"] = end - start - sum(watch.spent.values())
            result.whole.append((end - start) / 1e6)
            result.faces.append(recognition.faces_total)
            for name, spent in watch.spent.items():
                result.of[name].append(spent / 1e6)

    def run_alone(self, block: range, result: Stages) -> None:
        """Detector and engine, on the same frames and on crops that were made before."""
        for index in block:
            start = perf_counter_ns()
            self.detector.detect(self.clip.frames[index])
            if (crops := self.crops[index]) is not None:
                self.engine.infer(crops)
            result.alone.append((perf_counter_ns() - start) / 1e6)


def _crops(clip: Clip, detector: FaceDetector, size: int) -> list[FaceBatch | None]:
    """For every frame its faces, cut as the pipeline cuts them."""
    batches = []
    for image in clip.frames:
        faces = [crop_face(image, face.box, size) for face in detector.detect(image)]
        batches.append(np.stack(faces) if faces else None)
    return batches


def summary(stages: Stages) -> Mapping[str, Any]:
    """The figures: medians in milliseconds, and the ratio with its middle half."""
    low, middle, high = np.percentile(stages.ratios, (25, 50, 75))
    return {
        "frames": len(stages.whole),
        "faces": int(sum(stages.faces)),
        "end_to_end_ms": _spread(stages.whole),
        "detector_and_engine_ms": _spread(stages.alone),
        "ratio": {"median": float(middle), "low": float(low), "high": float(high)},
        "stages_ms": {name: _spread(times) for name, times in stages.of.items()},
    }


def _spread(times: Sequence[float]) -> Mapping[str, float]:
    p50, p90, p99 = np.percentile(times, (50, 90, 99))
    return {"p50": float(p50), "p90": float(p90), "p99": float(p99)}

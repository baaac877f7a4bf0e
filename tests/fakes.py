"""Parts with a known behaviour, and the table entries under which the daemon finds them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edge_fer.bundle import Bundle, Manifest, create_bundle
from edge_fer.cameras import CAMERAS
from edge_fer.detectors import DETECTORS
from edge_fer.emotions import LABELS, Emotion
from edge_fer.engines import ENGINES
from edge_fer.errors import BadData, CameraError, EngineError
from edge_fer.options import read_options
from edge_fer.sinks import SINKS
from edge_fer.sinks.encoding import encode
from edge_fer.types import Box, Face, FaceBatch, Frame, Image, ScoreBatch

SIDE = 8
"""Input size of the fake bundle, in pixels."""


ENTRIES = (
    (CAMERAS, "fake", "fakes:ScriptedCamera"),
    (DETECTORS, "fake", "fakes:FakeDetector"),
    (ENGINES, "tflite", "fakes:FakeEngine"),
    (SINKS, "memory", "fakes:MemorySink"),
)
"""Table, name and member; put into the tables only for a test or a child process."""


def fake_bundle(folder: Path, **changes: Any) -> Bundle:
    """A bundle with a whole manifest and a model that no runtime could load."""
    facts = {"name": "fake", "format": "tflite", "precision": "int8", "input_size": SIDE, **changes}
    return create_bundle(folder, Manifest(parent="0" * 64, files={}, **facts), {"m.tflite": b"x"})


def scores_of(emotion: Emotion, best: float = 0.7) -> NDArray[np.float32]:
    """(7,) scores with one best; the rest is shared evenly."""
    scores = np.full(len(LABELS), (1 - best) / (len(LABELS) - 1), np.float32)
    scores[emotion] = best
    return scores


def frame_of(image: Image | None = None, index: int = 0, captured: float | None = None) -> Frame:
    """A 64x48 black frame taken now, unless told otherwise."""
    now = time.monotonic() if captured is None else captured
    return Frame(np.zeros((48, 64, 3), np.uint8) if image is None else image, index, now, 0.0)


def face_at(left: int, top: int, side: int, confidence: float = 0.9) -> Face:
    """A square face."""
    return Face(Box(left, top, left + side, top + side), confidence)


class FakeEngine:
    """Gives the same scores for every face, or those it is told to give next."""

    precision = "int8"
    runtime = "fake 1.0"
    device = "CPU"
    failing: ClassVar[bool] = False
    """Every inference but the first one fails."""

    def __init__(self, bundle: Bundle | None = None, threads: int = 1, device: str = "CPU") -> None:
        self.answers: list[NDArray[np.float32]] = []
        self.batches: list[FaceBatch] = []

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """(N, H, W, 3) uint8 BGR to (N, 7) float32 probabilities."""
        self.batches.append(faces)
        if self.failing and len(self.batches) > 1:
            raise EngineError("fake: told to fail")
        row = self.answers.pop(0) if self.answers else scores_of(Emotion.HAPPY)
        return np.repeat(row[None], len(faces), axis=0)


class FakeDetector:
    """Finds the same faces in every image: one in the middle, unless told otherwise."""

    def __init__(self, faces: Sequence[Face] | None = None) -> None:
        self.faces = [face_at(16, 8, 32)] if faces is None else list(faces)

    def detect(self, image: Image) -> list[Face]:
        """The faces it was given."""
        return self.faces


class MemorySink:
    """Keeps the events as a reader would parse them."""

    backlog = dropped = 0

    events: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, argument: str, setting: object = None) -> None:
        MemorySink.events = []

    def write(self, event: Mapping[str, Any]) -> None:
        """Keep one event."""
        self.events.append(json.loads(encode(event)))

    def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True)
class Script:
    """What a ScriptedCamera does."""

    live: bool = True
    absent: int = 0
    """Openings that fail before one succeeds."""
    frames: int = 3
    skip: int = 0
    """Frames lost between two that are given."""
    late: float = 0.0
    """Age of every frame, in seconds."""
    then: str = "end"
    """After the frames: `end`, `error`, `broken`, `hang` or `more`; `stuck` hangs when opened."""


class ScriptedCamera:
    """`fake:frames=3,then=hang`: see Script."""

    openings: ClassVar[int] = 0

    def __init__(self, argument: str) -> None:
        self.script = read_options(Script(), argument, "fake")
        self.live = self.script.live
        self._closed = False
        ScriptedCamera.openings += 1
        if ScriptedCamera.openings <= self.script.absent:
            raise CameraError("fake: not there")
        while self.script.then == "stuck":
            time.sleep(3600)

    def __iter__(self) -> Iterator[Frame]:
        for i in range(self.script.frames):
            yield frame_of(
                index=i * (1 + self.script.skip), captured=time.monotonic() - self.script.late
            )
            if self.live:
                time.sleep(0.05)  # as a camera of 20 fps: the consumer takes every frame
        yield from self._rest(self.script.frames)

    def _rest(self, index: int) -> Iterator[Frame]:
        if self.script.then == "error":
            raise CameraError("fake: unplugged")
        if self.script.then == "broken":
            raise BadData("fake: broken file")
        while self.script.then == "hang":
            time.sleep(3600)
        while self.script.then == "more" and not self._closed:
            yield frame_of(index=index)
            index += 1
            time.sleep(0.01)

    def close(self) -> None:
        """Stop; a hanging camera hangs here too."""
        self._closed = True
        while self.script.then == "hang":
            time.sleep(3600)

"""The five seams of the house: one verb each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from edge_fer.types import Face, FaceBatch, Frame, Image, Sample, ScoreBatch


class Camera(Protocol):
    """Gives frames until it ends; raises CameraError when it cannot."""

    live: bool
    """True: frames come at their own pace, late ones are worthless. False: a file, read whole."""

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order; ends with the file, never for a live camera."""

    def close(self) -> None:
        """Release the device; may be called from another thread, and twice."""


class FaceDetector(Protocol):
    """Finds faces."""

    def detect(self, image: Image) -> list[Face]:
        """Faces of a (H, W, 3) BGR image, best first.

        Boxes are square and cover brow to chin as FER training crops do.
        """


class Engine(Protocol):
    """Turns faces into scores: one runtime, one bundle."""

    precision: str
    """The precision that was really executed: fp32, fp16 or int8."""
    runtime: str
    """Name and version of the library that runs the model."""
    device: str
    """Where it really runs: CPU, CUDA, TENSORRT or MYRIAD."""

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """(N, H, W, 3) uint8 BGR to (N, 7) float32 probabilities."""


class Sink(Protocol):
    """Takes events, as `edge_fer.daemon.events` builds them."""

    @property
    def dropped(self) -> int:
        """Events that were never delivered."""

    @property
    def backlog(self) -> int:
        """Events that wait to be delivered; 0 once nobody can ever read the sink again."""

    def write(self, event: Mapping[str, Any]) -> None:
        """Take one event without waiting; what cannot be delivered is dropped and counted.

        Raises BrokenPipeError once nobody can ever read the sink again.
        """

    def close(self) -> None:
        """Flush for 2 s at most, and release."""


class Dataset(Protocol):
    """Gives labelled faces."""

    name: str
    """The spec it was opened with."""

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of `train`, `validation` or `test`, in a fixed order."""

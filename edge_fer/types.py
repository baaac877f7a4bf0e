"""The values that pass between the parts: frozen, with units beside the field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_fer.emotions import Emotion

Image = NDArray[np.uint8]
"""(H, W, 3) BGR"""
FaceBatch = NDArray[np.uint8]
"""(N, H, W, 3) BGR, at the bundle's input size"""
ScoreBatch = NDArray[np.float32]
"""(N, 7) probabilities in `Emotion` order; rows sum to 1"""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a camera."""

    image: Image
    index: int
    """Number of the frame since the camera was opened, from 0; gaps are frames never taken."""
    captured: float
    """Monotonic seconds at which the frame was taken."""
    time: float
    """Unix time of capture, in seconds; may jump, never used for order."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; it may reach beyond the image."""

    left: int
    top: int
    right: int
    """Exclusive."""
    bottom: int
    """Exclusive."""

    @property
    def width(self) -> int:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels."""
        return self.bottom - self.top

    @classmethod
    def whole(cls, image: Image) -> Box:
        """The box of all of an image."""
        return cls(0, 0, image.shape[1], image.shape[0])


@dataclass(frozen=True, slots=True)
class Face:
    """A face that a detector found."""

    box: Box
    confidence: float
    """0 to 1, on the detector's own scale."""
    track: int | None = None
    """The same number for the same face in later frames; None before tracking."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was recognised in one face."""

    face: Face
    scores: NDArray[np.float32]
    """(7,) calibrated probabilities in `Emotion` order."""
    label: Emotion | None
    """None is "uncertain": the best probability is under the abstention threshold."""
    blur: float | None = None
    """0 (sharp) to 1 (no detail left)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled face of a dataset; the picture is read only when asked for."""

    emotion: Emotion
    source: str
    """Names the picture within its dataset."""
    read: Callable[[], Image]
    """Gives the (H, W, 3) BGR picture; raises BadData naming the file."""
    group: str | None = None
    """Subject, where known: faces of one group never stand in two folds."""
    box: Box | None = None
    """Where the face is; None when the picture is the face."""
    attributes: tuple[tuple[str, str], ...] = ()
    """(name, value) of what else is known of the person, such as `("gender", "female")`."""

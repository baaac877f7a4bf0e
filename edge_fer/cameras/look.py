"""How a camera is mounted: options that every camera takes, at the end of its spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from edge_fer.options import read_options
from edge_fer.protocols import Camera
from edge_fer.types import Frame, Image

LAST_OPTION = re.compile(
    r"^(?:(?P<rest>.*),)?(?P<option>(?:rotate|mirror|frozen)=[^,!]*)$", re.DOTALL
)
ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Look:
    """Turned, then mirrored."""

    rotate: int = 0
    """Degrees clockwise that bring the picture upright."""
    mirror: bool = False
    """Left and right exchanged."""
    frozen: bool = True
    """Pictures without any change are a fault; `no` where nothing may move and nothing is noisy."""

    def __post_init__(self) -> None:
        if self.rotate not in (0, *ROTATIONS):
            raise ValueError(f"rotate is 0, 90, 180 or 270, not {self.rotate}")

    def upright(self, image: Image) -> Image:
        """The (H, W, 3) picture as a person would see the scene."""
        if self.rotate:
            image = np.asarray(cv2.rotate(image, ROTATIONS[self.rotate]), np.uint8)
        return np.asarray(cv2.flip(image, 1), np.uint8) if self.mirror else image


def split_look(argument: str, where: str) -> tuple[str, Look]:
    """Take `rotate=`, `mirror=` and `frozen=` from the end of a spec's argument.

    From the end only: an address or a pipeline may hold commas of its own.
    """
    options: list[str] = []
    rest = argument
    while found := LAST_OPTION.match(rest):
        options.append(found["option"])
        rest = found["rest"] or ""
    return rest, read_options(Look(), ",".join(options), where)


class Upright:
    """A camera read by this process, turned and mirrored."""

    def __init__(self, camera: Camera, look: Look) -> None:
        self.live = camera.live
        self._camera, self._look = camera, look

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._camera:
            yield replace(frame, image=self._look.upright(frame.image))

    def close(self) -> None:
        """Close the camera."""
        self._camera.close()

"""A clip whose faces are known: real ones enlarged and moving over a room, or drawn ones.

One face, then two, then three. Every face must be found in every frame: candidates that the
detector misses are left out before the clip is made, and the number is asserted afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge_fer.cameras.synthetic import SyntheticCamera
from edge_fer.datasets import open_dataset, samples_of
from edge_fer.datasets.faces import schemes
from edge_fer.drawing import backdrop
from edge_fer.errors import BadData, ConfigError
from edge_fer.protocols import FaceDetector
from edge_fer.types import Image

WIDTH, HEIGHT = 640, 480
MOST_FACES = 3
SIDE = 176
"""Pixels of a face: three of them fit side by side, and BlazeFace finds them."""
SWAY = 14
"""Pixels that a face moves to each side."""
SEED = 7
CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames in memory, and how many faces the detector finds in each of them."""

    name: str
    """What the faces are."""
    frames: tuple[Image, ...]
    """(480, 640, 3) BGR"""
    counts: tuple[int, ...]

    def save(self, path: Path, fps: float) -> None:
        """Write a motion-JPEG file; raises OSError where it cannot."""
        kind = cv2.VideoWriter.fourcc(*"MJPG")
        height, width = self.frames[0].shape[:2]
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, kind, fps, (width, height))
        if not writer.isOpened():
            raise OSError(f"{path}: cannot be written as a video")
        for frame in self.frames:
            writer.write(frame)
        writer.release()


def composed(detector: FaceDetector, data: str | None, count: int) -> Clip:
    """A clip of `count` frames of a dataset's faces, or of drawn ones where `data` is None.

    Raises BadData where the detector does not find every face in every frame.
    """
    frames = tuple(_drawn(count) if data is None else _real(detector, data, count))
    found = tuple(len(detector.detect(frame)) for frame in frames)
    wanted = tuple(faces_in(index, count) for index in range(count))
    wrong = sum(one != other for one, other in zip(found, wanted, strict=True))
    if wrong:
        raise BadData(f"the detector finds the wrong number of faces in {wrong} of {count} frames")
    return Clip("drawn faces" if data is None else f"faces of {schemes(data)}", frames, found)


def recorded(detector: FaceDetector, frames: Iterator[Image], name: str, count: int) -> Clip:
    """The first frames of somebody's own clip, with what the detector finds in them."""
    kept = tuple(frame for frame, _ in zip(frames, range(count), strict=False))
    found = tuple(len(detector.detect(frame)) for frame in kept)
    if not any(found):
        raise BadData(f"{name}: the detector finds no face in its first {len(kept)} frames")
    return Clip(name, kept, found)


def faces_in(index: int, count: int) -> int:
    """1, 2, 3 in three parts of the clip."""
    return 1 + min(MOST_FACES * index // count, MOST_FACES - 1)


def _drawn(count: int) -> Iterator[Image]:
    cameras = [SyntheticCamera(f"faces={n + 1},seed={SEED}") for n in range(MOST_FACES)]
    return (cameras[faces_in(index, count) - 1].picture(index) for index in range(count))


def _real(detector: FaceDetector, data: str, count: int) -> Iterator[Image]:
    faces = _found_faces(detector, data, count)
    room = backdrop(HEIGHT, WIDTH, SEED)
    return (scene(room, faces[: faces_in(i, count)], i) for i in range(count))


def _found_faces(detector: FaceDetector, data: str, count: int) -> list[Image]:
    """As many faces as a frame holds, each found in every frame of the clip where it is the last.

    What is found in most places may be missed in one: nothing less than all frames is proof.
    """
    samples = samples_of(open_dataset(data), "validation")
    order = np.random.default_rng(SEED).permutation(len(samples))[:CANDIDATES]
    room, faces = backdrop(HEIGHT, WIDTH, SEED), list[Image]()
    for index in order:
        face = enlarged(samples[int(index)].read())
        wanted = len(faces) + 1
        trials = (
            scene(room, [*faces, face], i) for i in range(count) if faces_in(i, count) == wanted
        )
        if all(len(detector.detect(trial)) == wanted for trial in trials):
            faces.append(face)
        if len(faces) == MOST_FACES:
            return faces
    raise ConfigError(f"{data}: the detector finds fewer than {MOST_FACES} of {len(order)} faces")


def enlarged(face: Image) -> Image:
    """(SIDE, SIDE, 3): as a camera would see it."""
    return np.asarray(cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


def scene(room: Image, faces: Sequence[Image], index: int) -> Image:
    """The room with faces side by side, each swaying in its own time."""
    image = room.astype(np.float32)
    for number, face in enumerate(faces):
        left, top = place(number, len(faces), index)
        part = image[top : top + SIDE, left : left + SIDE]
        part += MASK * (face - part)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def place(number: int, faces: int, index: int) -> tuple[int, int]:
    """Left and top of one of so many faces in the frame of this index."""
    left = WIDTH / faces * (number + 0.5) - SIDE / 2 + SWAY * np.sin(0.11 * index + 2 * number)
    top = HEIGHT / 2 - SIDE / 2 + SWAY * np.sin(0.07 * index + number)
    return round(left), round(top)


def _mask() -> np.ndarray:
    """(SIDE, SIDE, 1) 0 to 1: whole in the middle, fading towards the border."""
    ramp = np.clip(np.minimum(np.arange(SIDE), np.arange(SIDE)[::-1]) / (0.12 * SIDE), 0, 1)
    return np.outer(ramp, ramp).astype(np.float32)[..., None]


MASK = _mask()

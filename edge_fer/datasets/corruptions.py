"""What cameras and detectors do to faces, one fault at a time, at one fixed strength each.

For reports: how much accuracy each fault costs beside clean faces. Training draws its own faults
(`edge_fer.training.augment`), over ranges and at random. A face's draw is decided by its name
alone, so that every model sees the same faults on the same faces.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from types import MappingProxyType

import cv2
import numpy as np

from edge_fer.errors import BadData, ConfigError
from edge_fer.preprocess import crop_face
from edge_fer.types import Box, FaceBatch, Image, Sample

Fault = Callable[[Image, np.random.Generator], Image]

TINT = 0.35
"""A lamp's colour cast: each channel gains or loses up to this share."""
QUALITY = 15
"""JPEG, 0 to 100: a webcam's stream on a thin line."""
BLUR = 0.02
"""Standard deviation of a lens out of focus, as a share of the side."""
LIGHT, NOISE = 0.25, 6.0
"""Share of the light that is left, and the sensor's noise in grey levels."""
ROLL = 20.0
"""Degrees that a head is tilted to either side."""
LOOSE, TIGHT = 1.3, 0.8
"""Side of a box cut too wide or too narrow, as a share of the right one."""
FEW = 20
"""Pixels across a face that is far away."""


def _tint(face: Image, rng: np.random.Generator) -> Image:
    return _bytes(face * rng.uniform(1 - TINT, 1 + TINT, 3))


def _jpeg(face: Image, rng: np.random.Generator) -> Image:
    packed = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _blur(face: Image, rng: np.random.Generator) -> Image:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), BLUR * face.shape[0]), np.uint8)


def _dark(face: Image, rng: np.random.Generator) -> Image:
    return _bytes(face * LIGHT + rng.normal(0, NOISE, (*face.shape[:2], 1)))


def _coarse(face: Image, rng: np.random.Generator) -> Image:
    few = cv2.resize(face, (FEW, FEW), interpolation=cv2.INTER_AREA)
    side = face.shape[:2][::-1]
    return np.asarray(cv2.resize(few, side, interpolation=cv2.INTER_LINEAR), np.uint8)


FAULTS: MappingProxyType[str, Fault] = MappingProxyType(
    {
        "colour cast": _tint,
        "JPEG": _jpeg,
        "blur": _blur,
        "low light": _dark,
        "few pixels": _coarse,
    }
)
"""Of a face that was rightly cut."""
CUTS = MappingProxyType({"loose crop": LOOSE, "tight crop": TIGHT})
"""Of the box; what a loose one takes in beyond the picture repeats its edge."""
CORRUPTIONS = ("colour cast", "JPEG", "blur", "low light", "roll", "loose crop", "tight crop",
               "few pixels")  # fmt: skip
"""All of them, in the order of a report."""


def corrupt(image: Image, box: Box, size: int, corruption: str, name: str) -> Image:
    """The (size, size, 3) BGR face of a box of an image, as one of `CORRUPTIONS` leaves it.

    `name` decides what is drawn. Raises ConfigError for an unknown corruption, and ValueError as
    `crop_face` for a box outside the image.
    """
    if corruption not in CORRUPTIONS:
        raise ConfigError(
            f"unknown corruption {corruption!r}: choose from {', '.join(CORRUPTIONS)}"
        )
    rng = np.random.default_rng([zlib.crc32(name.encode()), zlib.crc32(corruption.encode())])
    if corruption == "roll":
        return crop_face(_turned(image, box, ROLL * rng.choice((-1, 1))), box, size)
    face = crop_face(image, _resized(box, CUTS.get(corruption, 1.0)), size)
    return FAULTS[corruption](face, rng) if corruption in FAULTS else face


def corrupted(samples: Sequence[Sample], size: int, corruption: str) -> FaceBatch:
    """(N, size, size, 3) uint8 BGR faces; raises BadData or NotFound naming the face."""
    return np.stack([_corrupted(sample, size, corruption) for sample in samples])


def _corrupted(sample: Sample, size: int, corruption: str) -> Image:
    image = sample.read()
    try:
        return corrupt(image, sample.box or Box.whole(image), size, corruption, sample.source)
    except ConfigError:
        raise
    except ValueError as error:
        raise BadData(f"{sample.source}: {error}; mend the face box of this row") from error


def _turned(image: Image, box: Box, degrees: float) -> Image:
    """The picture turned around the middle of the box."""
    middle = ((box.left + box.right - 1) / 2, (box.top + box.bottom - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    size = image.shape[:2][::-1]
    turned = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, np.uint8)


def _resized(box: Box, share: float) -> Box:
    """The box grown or shrunk around its middle."""
    across, down = (round(side * (share - 1) / 2) for side in (box.width, box.height))
    return Box(box.left - across, box.top - down, box.right + across, box.bottom + down)


def _bytes(values: np.ndarray) -> Image:
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)

"""One look at a face: its size, a hash of its pixels, and a hash of how it looks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from edge_fer.emotions import Emotion
from edge_fer.errors import EdgeFerError
from edge_fer.plugins import missing
from edge_fer.progress import Progress
from edge_fer.types import Box, Image, Sample

CHUNK = 512
"""Faces handed to the threads at once: pictures in memory stay few, however many there are."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a face showed when it was read."""

    split: str
    source: str
    emotion: Emotion
    group: str | None
    size: tuple[int, int] = (0, 0)
    """Width and height of the face in pixels."""
    pixels: bytes = b""
    """Equal for faces of equal pixels; empty where nothing could be read."""
    likeness: int = 0
    """64 bits, few of which differ between faces that look alike."""
    fault: str | None = None
    """Why it cannot be used."""

    @property
    def name(self) -> str:
        """Split and source: one face among all splits."""
        named = self.source.startswith(f"{self.split}/")
        return self.source if named else f"{self.split}/{self.source}"


def require_imagehash() -> None:
    """Raise MissingExtra, naming the command that mends it, unless imagehash is installed."""
    try:
        import imagehash  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing(error.name or "imagehash", "a look for near duplicates") from error


def look_at_all(
    samples: Sequence[Sample], split: str, near: bool, progress: Progress
) -> Iterator[Look]:
    """A look at each face, in order; pictures are decoded by all cores."""
    look = partial(look_at, split=split, near=near)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        for start in range(0, len(samples), CHUNK):
            yield from threads.map(look, samples[start : start + CHUNK])
            progress(f"{split}: faces", min(start + CHUNK, len(samples)), len(samples))


def look_at(sample: Sample, split: str, near: bool) -> Look:
    """Read one face; what goes wrong becomes its `fault`."""
    known = partial(Look, split, sample.source, sample.emotion, sample.group)
    try:
        face = _face(sample)
    except EdgeFerError as error:
        return known(fault=str(error))
    if face.size == 0:
        return known(fault=f"{sample.source}: the face box lies outside the picture")
    likeness = _likeness(face) if near else 0
    return known((face.shape[1], face.shape[0]), pixel_hash(face), likeness)


def pixel_hash(face: Image) -> bytes:
    """16 bytes that faces of equal (H, W, 3) pixels share, and others do not."""
    digest = hashlib.blake2b(repr(face.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(face).data)
    return digest.digest()


def _face(sample: Sample) -> Image:
    """The face at its own size: what of its box lies inside the picture."""
    image = sample.read()
    box = sample.box or Box.whole(image)
    return image[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)]


def _likeness(face: Image) -> int:
    """pHash: the signs of the 8x8 lowest frequencies around their median."""
    import imagehash
    from PIL import Image as Picture

    grey = Picture.fromarray(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY))
    return int.from_bytes(np.packbits(imagehash.phash(grey).hash).tobytes(), "big")

"""The faces that every subject of a benchmark sees, cut once for each input size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import FaceFacts
from edge_fer.datasets import list_hash, open_dataset, samples_of
from edge_fer.datasets.corruptions import corrupted
from edge_fer.datasets.faces import classes_of, faces_of, schemes
from edge_fer.emotions import LABELS
from edge_fer.errors import ConfigError
from edge_fer.preprocess import crop_face
from edge_fer.types import Box, FaceBatch, Sample

LIMIT_SEED = 1


class Faces:
    """Labelled samples of a dataset, or plain faces without labels."""

    def __init__(
        self, samples: Sequence[Sample], images: FaceBatch | None, facts: FaceFacts
    ) -> None:
        self._samples, self._images, self.facts = samples, images, facts

    @property
    def truth(self) -> NDArray[np.int64] | None:
        """(N,) true classes, or None without labels."""
        if not self.facts.labelled:
            return None
        return classes_of(self._samples)

    def at(self, size: int) -> FaceBatch:
        """(N, size, size, 3) uint8 BGR, cut as the device cuts them."""
        if self._images is not None:
            return np.stack([crop_face(image, Box.whole(image), size) for image in self._images])
        return faces_of(self._samples, size)

    def corrupted(self, fault: str, size: int) -> FaceBatch:
        """The same faces with one of `CORRUPTIONS` drawn into them; labelled faces only."""
        return corrupted(self._samples, size, fault)


def labelled_faces(data: str, split: str, limit: int | None) -> Faces:
    """A dataset's split; a limit draws that many of its faces by a fixed seed."""
    samples = spread(samples_of(open_dataset(data), split), limit)
    return Faces(samples, None, facts_of(samples, data, split))


def facts_of(samples: Sequence[Sample], data: str, split: str) -> FaceFacts:
    """What a report says of labelled faces."""
    classes = Counter(sample.emotion.label for sample in samples)
    per_class = {label: classes[label] for label in LABELS}
    return FaceFacts(schemes(data), split, len(samples), True, list_hash(samples), per_class)


def plain_faces(images: FaceBatch, limit: int | None) -> Faces:
    """Faces of (N, H, W, 3) uint8 BGR that only agreement and latency can be measured on."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or not len(images):
        raise ConfigError(f"faces are {images.dtype} {images.shape}, need uint8 (N, H, W, 3)")
    chosen = images[_positions(len(images), limit)]
    return Faces((), chosen, FaceFacts(None, None, len(chosen), False, None))


def spread(samples: Sequence[Sample], limit: int | None) -> list[Sample]:
    """The faces that a limit keeps, in their own order."""
    return [samples[i] for i in _positions(len(samples), limit)]


def _positions(count: int, limit: int | None) -> NDArray[np.int64]:
    """Which faces a limit keeps: drawn by a fixed seed, in their own order."""
    if limit is not None and limit < 1:
        raise ConfigError(f"limit {limit}: at least one face is needed")
    if limit is None or limit >= count:
        return np.arange(count, dtype=np.int64)
    # Even distances would miss expressions in data that repeats them in turn.
    return np.sort(np.random.default_rng(LIMIT_SEED).permutation(count)[:limit])

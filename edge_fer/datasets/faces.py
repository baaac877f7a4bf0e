"""Faces as every consumer of a dataset sees them: cut by the device's own function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_fer.datasets import parts_of
from edge_fer.errors import BadData
from edge_fer.preprocess import crop_face
from edge_fer.types import Box, FaceBatch, Image, Sample


def face_of(sample: Sample, size: int) -> Image:
    """The (size, size, 3) BGR face of a sample; raises BadData or NotFound naming it."""
    image = sample.read()
    try:
        return crop_face(image, sample.box or Box.whole(image), size)
    except ValueError as error:
        raise BadData(f"{sample.source}: {error}; mend the face box of this row") from error


def faces_of(samples: Sequence[Sample], size: int) -> FaceBatch:
    """(N, size, size, 3) uint8 BGR faces."""
    return np.stack([face_of(sample, size) for sample in samples])


def classes_of(samples: Sequence[Sample]) -> NDArray[np.int64]:
    """(N,) true classes in `Emotion` order."""
    return np.array([sample.emotion for sample in samples], np.int64)


def schemes(spec: str) -> str:
    """The kinds of data in a spec, without the paths that only one machine has."""
    return "+".join(part.partition(":")[0] for part in parts_of(spec))

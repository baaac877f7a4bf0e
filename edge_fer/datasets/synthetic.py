"""Drawn faces as a dataset: every expression equally often, other persons in every split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from edge_fer.drawing import draw_face, person
from edge_fer.emotions import Emotion
from edge_fer.options import read_options
from edge_fer.types import Image, Sample

SIDE = 96
"""Pixels of a face."""
SPLITS = ("train", "validation", "test")
PERSONS = 1_000_000
"""Numbers of persons set aside for one split of one seed."""


@dataclass(frozen=True, slots=True)
class Amount:
    """The options of the spec."""

    faces: int = 700
    """Faces in each split; every person wears the seven expressions once."""
    seed: int = 0
    """Chooses the persons."""

    def __post_init__(self) -> None:
        if not 1 <= self.faces <= PERSONS:
            raise ValueError(f"faces is 1 to {PERSONS}, not {self.faces}")
        if self.seed < 0:
            raise ValueError(f"seed is not negative, not {self.seed}")


class Synthetic:
    """`synthetic:` with options, such as `synthetic:faces=350,seed=1`."""

    def __init__(self, argument: str) -> None:
        self.name = f"synthetic:{argument}"
        self._amount = read_options(Amount(), argument, "synthetic:")

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of a split, person by person; each is drawn when it is read."""
        first = (self._amount.seed * len(SPLITS) + SPLITS.index(split)) * PERSONS
        return [
            _sample(first + number // len(Emotion), Emotion(number % len(Emotion)))
            for number in range(self._amount.faces)
        ]


def _sample(number: int, emotion: Emotion) -> Sample:
    read = partial(_draw, number, emotion)
    return Sample(emotion, f"{number}/{emotion.label}", read, group=f"person-{number}")


def _draw(number: int, emotion: Emotion) -> Image:
    """The face, with an intensity and a tilt that belong to this picture alone."""
    rng = np.random.default_rng((number, int(emotion)))
    return draw_face(
        person(number), emotion, rng.uniform(0.7, 1.0), SIDE, roll=float(rng.uniform(-8, 8))
    )

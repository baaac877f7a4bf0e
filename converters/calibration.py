"""The faces whose activations set the INT8 ranges, and the record of where they come from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from converters.order import FEWEST
from edge_fer.datasets import list_hash, open_dataset, samples_of, unsplit
from edge_fer.datasets.faces import classes_of, faces_of, schemes
from edge_fer.datasets.holdout import UNSPLIT
from edge_fer.datasets.shipped import calibration_faces
from edge_fer.emotions import LABELS, Emotion
from edge_fer.errors import ConfigError
from edge_fer.protocols import Dataset
from edge_fer.types import FaceBatch, Sample


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """Faces to take ranges from."""

    faces: FaceBatch
    names: tuple[str, ...]
    """One for each face, for saying which were left out."""
    real: bool
    """Photographs, whose means are those of use; not the shipped, distilled faces."""
    record: dict[str, Any]
    """Goes into the manifest: dataset, split, count, per class, seed, hash."""
    classes: tuple[str, ...] = ()
    """The label of each face; empty where they have none."""

    def without(self, left_out: Sequence[int]) -> CalibrationSet:
        """The set less some faces, which the record then names.

        Raises ConfigError where a class would lose all its faces.
        """
        kept = np.setdiff1d(np.arange(len(self.faces)), left_out)
        classes = tuple(self.classes[i] for i in kept) if self.classes else ()
        gone = sorted(set(self.classes) - set(classes))
        if gone:
            raise ConfigError(
                f"calibration: all faces of {', '.join(gone)} are outliers and every class is "
                "needed; give other faces (--data, --seed)"
            )
        return CalibrationSet(
            self.faces[kept],
            tuple(self.names[i] for i in kept),
            self.real,
            {**self.record, "used": len(kept), "left_out": [self.names[i] for i in left_out]},
            classes,
        )


def shipped_set(size: int) -> CalibrationSet:
    """The calibration half of the faces that ship with the project."""
    faces = calibration_faces(size)
    names = tuple(f"shipped/{i}" for i in range(len(faces)))
    record = {
        "dataset": "shipped",
        "split": None,
        "count": len(names),
        "sha256": hashlib.sha256(faces.tobytes()).hexdigest(),
    }
    return CalibrationSet(faces, names, False, record)


def drawn_set(spec: str, split: str, count: int, seed: int, size: int) -> CalibrationSet:
    """`count` faces of a dataset, as many of each class, chosen by `seed`.

    Raises ConfigError for the test split, for a class without faces, and where it has too few.
    """
    if split == "test":
        raise ConfigError("calibration on the test split is refused: choose train or validation")
    dataset = open_dataset(spec)
    chosen = _balanced(samples_of(dataset, split), count, seed)
    if len(chosen) < FEWEST:
        raise ConfigError(f"{spec}: {len(chosen)} faces in {split}, INT8 ranges need {FEWEST}")
    per_class = Counter(sample.emotion.label for sample in chosen)
    record = {
        "dataset": schemes(spec),
        "split": split,
        "count": len(chosen),
        "per_class": {label: per_class[label] for label in LABELS},
        "seed": seed,
        "sha256": list_hash(chosen),
        **_origin(dataset),
    }
    return CalibrationSet(
        faces_of(chosen, size),
        tuple(s.source for s in chosen),
        True,
        record,
        tuple(s.emotion.label for s in chosen),
    )


def labelled_faces(
    spec: str, split: str, size: int
) -> tuple[FaceBatch, np.ndarray, dict[str, Any]]:
    """All faces of a split, their (N,) classes, and a record of them."""
    dataset = open_dataset(spec)
    samples = samples_of(dataset, split)
    record = {
        "dataset": schemes(spec),
        "split": split,
        "faces": len(samples),
        "sha256": list_hash(samples),
        **_origin(dataset),
    }
    return faces_of(samples, size), classes_of(samples), record


def _origin(dataset: Dataset) -> dict[str, str]:
    """For the record: that train and validation are the same faces, where they are."""
    return {"origin": UNSPLIT} if unsplit(dataset) else {}


def _balanced(samples: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    """An equal share of each class, as far as its faces go; the rest from the larger ones."""
    order = np.random.default_rng(seed).permutation(len(samples))
    by_class: dict[Emotion, list[Sample]] = {emotion: [] for emotion in Emotion}
    for i in order:
        by_class[samples[i].emotion].append(samples[i])
    missing = [emotion.label for emotion, members in by_class.items() if not members]
    if missing:
        raise ConfigError(f"calibration: no faces of {', '.join(missing)}; every class is needed")
    return _interleaved(list(by_class.values()))[:count]


def _interleaved(columns: list[list[Sample]]) -> list[Sample]:
    """The first of each column, then the second of each, and so on."""
    longest = max(len(column) for column in columns)
    return [column[i] for i in range(longest) for column in columns if i < len(column)]

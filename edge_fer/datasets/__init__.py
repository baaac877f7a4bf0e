"""Labelled faces by `scheme:path`; joined by `+`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from edge_fer.datasets.holdout import UNSPLIT
from edge_fer.datasets.joined import Joined
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, ConfigError
from edge_fer.plugins import load, split_spec
from edge_fer.protocols import Dataset
from edge_fer.types import Sample

DATASETS = {
    "affectnet": "edge_fer.datasets.affectnet:AffectNet",
    "empathic": "edge_fer.datasets.empathic:Empathic",
    "fer2013": "edge_fer.datasets.fer2013:Fer2013",
    "folder": "edge_fer.datasets.folder:Folder",
    "rafdb": "edge_fer.datasets.rafdb:RafDb",
    "synthetic": "edge_fer.datasets.synthetic:Synthetic",
}
SPLITS = ("train", "validation", "test")
NEXT = re.compile(rf"\+(?=(?:{'|'.join(DATASETS)}):)")
"""Where a joined spec is cut: a path may hold a plus sign of its own."""


def open_dataset(spec: str) -> Dataset:
    """Open `fer2013:PATH`, or several joined by `+`; raises ConfigError or NotFound."""
    parts = [_open(part) for part in parts_of(spec)]
    return parts[0] if len(parts) == 1 else Joined(parts)


def parts_of(spec: str) -> list[str]:
    """The specs that a spec joins; one for most."""
    return NEXT.split(spec)


def _open(spec: str) -> Dataset:
    scheme, argument = split_spec(spec)
    dataset: Dataset = load("dataset", DATASETS, scheme)(argument)
    return dataset


def samples_of(dataset: Dataset, split: str) -> list[Sample]:
    """The faces of a split; raises ConfigError where it has none."""
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
    samples = list(dataset.samples(split))
    if not samples:
        raise ConfigError(f"{dataset.name}: the {split} split has no faces")
    return samples


def require_all_seven(samples: Iterable[Sample], where: str) -> None:
    """Raise BadData naming the expressions of which there is no face."""
    absent = missing_classes(samples)
    if absent:
        raise BadData(f"{where}: no faces of {', '.join(absent)}; all seven expressions are needed")


def missing_classes(samples: Iterable[Sample]) -> list[str]:
    """Labels of the expressions of which there is no face."""
    found = {sample.emotion for sample in samples}
    return [emotion.label for emotion in Emotion if emotion not in found]


def dropped_of(dataset: Dataset, split: str) -> dict[str, int]:
    """Rows that a reader left out of a split when it was read, by reason; most leave out none."""
    return dict(getattr(dataset, "dropped", {}).get(split, {}))


def origin_of(dataset: Dataset, split: str) -> str:
    """Whose split it is, in a few words: the publisher's, or one that edge-fer drew."""
    return str(getattr(dataset, "origins", {}).get(split, "as the files have it"))


def unsplit(dataset: Dataset) -> list[str]:
    """Names of a dataset's parts that give the same faces for every split."""
    parts = getattr(dataset, "parts", (dataset,))
    return [part.name for part in parts if origin_of(part, "train") == UNSPLIT]


def list_hash(samples: Iterable[Sample]) -> str:
    """SHA-256 over names and labels in order: says which faces were used."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(f"{sample.source}\t{sample.emotion.label}\n".encode())
    return digest.hexdigest()

"""Labelled faces by `scheme:path`; joined by `+`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from edge_fer.errors import ConfigError
from edge_fer.plugins import load, split_spec
from edge_fer.protocols import Dataset
from edge_fer.types import Sample

DATASETS = {
    "fer2013": "edge_fer.datasets.fer2013:Fer2013",
    "folder": "edge_fer.datasets.folder:Folder",
    "synthetic": "edge_fer.datasets.synthetic:Synthetic",
}
SPLITS = ("train", "validation", "test")


def open_dataset(spec: str) -> Dataset:
    """Open `scheme:argument`, such as `fer2013:PATH`; raises ConfigError or NotFound."""
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


def list_hash(samples: Iterable[Sample]) -> str:
    """SHA-256 over names and labels in order: says which faces were used."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(f"{sample.source}\t{sample.emotion.label}\n".encode())
    return digest.hexdigest()

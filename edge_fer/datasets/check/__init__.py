"""Look at every face of a dataset once, and say what would spoil training or a measurement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edge_fer.datasets import SPLITS, dropped_of, open_dataset, origin_of
from edge_fer.datasets.check.findings import findings
from edge_fer.datasets.check.look import Look, look_at_all, require_imagehash
from edge_fer.datasets.check.report import Report, SplitFacts
from edge_fer.datasets.holdout import UNSPLIT
from edge_fer.emotions import LABELS
from edge_fer.errors import EdgeFerError
from edge_fer.progress import Progress, silent
from edge_fer.protocols import Dataset
from edge_fer.types import Sample


def check(spec: str, progress: Progress = silent, near: bool = True) -> Report:
    """What is in a dataset and what is wrong with it; raises where no split can be read at all.

    `near` looks for near duplicates as well: it needs the extra `data`, and most of the time.
    """
    if near:
        require_imagehash()
    dataset = open_dataset(spec)
    splits: list[SplitFacts] = []
    looks: list[Look] = []
    for split in SPLITS:
        try:
            samples = dataset.samples(split)
            splits.append(_facts(dataset, split, samples))
        except EdgeFerError as error:
            splits.append(SplitFacts(split, fault=str(error)))
            if all(known.fault for known in splits) and len(splits) == len(SPLITS):
                raise
            continue
        if split == SPLITS[0] or splits[-1].origin != UNSPLIT:
            looks += look_at_all(samples, split, near, progress)
    return findings(dataset.name, splits, looks, near)


def _facts(dataset: Dataset, split: str, samples: Sequence[Sample]) -> SplitFacts:
    counts = Counter(sample.emotion.label for sample in samples)
    return SplitFacts(
        split,
        origin_of(dataset, split),
        len(samples),
        {label: counts[label] for label in LABELS},
        len({sample.group for sample in samples if sample.group is not None}),
        dropped_of(dataset, split),
    )

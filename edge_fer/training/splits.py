"""The faces that train and those that only calibrate, also of data that have no splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_fer.datasets import require_all_seven, samples_of, unsplit
from edge_fer.datasets.faces import classes_of
from edge_fer.datasets.readable import require_readable
from edge_fer.errors import ConfigError
from edge_fer.progress import Progress
from edge_fer.protocols import Dataset
from edge_fer.training.folds import held_out
from edge_fer.training.pool import groups_of
from edge_fer.types import Sample

SEED = 0
"""The same for every run: none is judged by faces that an earlier one, its start, learnt from."""


@dataclass(frozen=True, slots=True)
class Splits:
    """Faces of one training run; all seven expressions are among those that train."""

    train: list[Sample]
    validation: list[Sample]
    drawn: str | None = None
    """How the validation faces were chosen; None where the data have such a split."""


def splits_of(dataset: Dataset, known: bool, progress: Progress) -> Splits:
    """The splits as the data have them; of data without any, a tenth of each class is held out.

    Equal and similar faces, and those of one subject, stay on one side. Every face is read once;
    where that is `known` to succeed, only if a tenth is drawn. Raises ConfigError for joined data
    of which only a part has splits, and BadData where faces cannot be used.
    """
    whole = unsplit(dataset)
    parts = getattr(dataset, "parts", (dataset,))
    if whole and len(whole) < len(parts):
        raise ConfigError(
            f"{', '.join(whole)}: has no splits, and what it is joined to has; sort it into "
            "train/<label>/ and validation/<label>/, or give a CSV with a column split"
        )
    train = samples_of(dataset, "train")
    if not whole:
        found = Splits(train, samples_of(dataset, "validation"))
        require_all_seven(train, f"{dataset.name}, train split")
        if not known:
            require_readable(train, f"{dataset.name}, train split", progress)
            require_readable(found.validation, f"{dataset.name}, validation split", progress)
        return found
    groups = groups_of(train, dataset.name, progress)
    kept, held = held_out(np.array(groups.of), classes_of(train), SEED)
    drawn = f"about a tenth of the faces, drawn by edge-fer; no {groups.kind} on both sides"
    found = Splits([train[i] for i in kept], [train[i] for i in held], drawn)
    require_all_seven(found.train, f"{dataset.name}, without a tenth for validation")
    return found

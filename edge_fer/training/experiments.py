"""The paper's experiments (Nasri et al., ATSIP 2020), each on the same held-out folds.

A small collection is what the network is for, a large one is what it may learn from besides:

- `scratch`: each fold trains on the small collection alone, from the initial weights;
- `frozen`: one network trained on the large collection alone is tested as it is;
- `finetune`: each fold goes on from that network with the small collection;
- `combined`: each fold trains on both at once, from the initial weights.

Faces of the large collection that equal or resemble a small one's are left out of all training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_fer.datasets import require_all_seven
from edge_fer.datasets.faces import classes_of
from edge_fer.errors import ConfigError
from edge_fer.progress import Progress
from edge_fer.training import kfold
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.fit import fit
from edge_fer.training.folds import held_out
from edge_fer.training.kfold import Order, fold_folder, prepare
from edge_fer.training.left_out import clean
from edge_fer.training.pool import pooled, told
from edge_fer.types import Sample

NAMES = ("scratch", "frozen", "finetune", "combined")
ALL = "all"
LARGE = "large"
"""Folder of the network that was trained on the large collection."""
LARGE_SPLITS = ("train", "validation")
"""Of the large collection; its test faces stay out."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked for."""

    small: Order
    """The small collection, its folds, and how everything is trained."""
    large: str
    """Spec of the large collection."""
    names: tuple[str, ...]
    """Which of `NAMES`."""

    def folder(self, name: str) -> Path:
        """Where the folds of an experiment lie."""
        return self.small.out / name


def names_of(asked: str) -> tuple[str, ...]:
    """The experiments of a word or of several joined by commas; raises ConfigError."""
    if asked == ALL:
        return NAMES
    chosen = tuple(dict.fromkeys(asked.split(",")))
    for name in chosen:
        if name not in NAMES:
            known = ", ".join((*NAMES, ALL))
            raise ConfigError(f"unknown experiment {name!r}: choose from {known}")
    return chosen


def train_large(trial: Trial, progress: Progress) -> None:
    """The network of the large collection alone, unless it is done."""
    out = trial.folder(LARGE)
    if (out / "checkpoint.json").is_file():
        return
    samples, setting = large_samples(trial, progress), trial.small.setting()
    train, kept = _parts(samples, trial.small.recipe.seed)
    require_all_seven(train, f"{trial.large}, without what the small collection holds")
    fit(train, kept, setting, trial.large, out, told(progress, LARGE))


def large_samples(trial: Trial, progress: Progress) -> list[Sample]:
    """The faces of the large collection that the small one does not hold."""
    small = pooled(trial.small.data, trial.small.splits)
    return clean(pooled(trial.large, LARGE_SPLITS), small, trial.small.out, trial.large, progress)


def run_one(trial: Trial, name: str, number: int, progress: Progress) -> None:
    """Train, where that belongs to it, and test one fold of one experiment."""
    folder = fold_folder(trial.folder(name), number)
    if (folder / kfold.RESULT).is_file():
        return
    samples, made = prepare(trial.small, progress)
    fold = made.folds[number - 1]
    train, kept, test = (
        [samples[i] for i in part] for part in (fold.train, fold.validation, fold.test)
    )
    said = told(progress, f"{name}, fold {number}")
    setting, spec = trial.small.setting(), trial.small.data
    if name == "frozen":
        checkpoint = Checkpoint.load(trial.folder(LARGE))
    else:
        if name == "finetune":
            setting = replace(setting, init=str(trial.folder(LARGE)))
        if name == "combined":
            train, spec = _joined(large_samples(trial, progress), train), f"{trial.large}+{spec}"
        checkpoint = fit(train, kept, setting, spec, folder, said)
    kfold.test(checkpoint, test, folder, said)


def _joined(large: list[Sample], small: list[Sample]) -> list[Sample]:
    """Both, under names that differ."""
    named = (("large/", large), ("small/", small))
    return [replace(s, source=prefix + s.source) for prefix, part in named for s in part]


def _parts(samples: list[Sample], seed: int) -> tuple[list[Sample], list[Sample]]:
    """Faces that train and faces that calibrate; subjects stand on one side."""
    numbers: dict[str, int] = {}
    of = [
        len(samples) + numbers.setdefault(s.group, len(numbers)) if s.group else position
        for position, s in enumerate(samples)
    ]
    train, kept = held_out(np.array(of), classes_of(samples), seed)
    return [samples[i] for i in train], [samples[i] for i in kept]

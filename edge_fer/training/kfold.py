"""Cross-validation: every face is tested once, by a network that trained on neither it nor its kin.

A fold is a unit: its folder holds a training run that resumes, and `fold.json` once it is done.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from edge_fer import statistics
from edge_fer.datasets.faces import classes_of
from edge_fer.datasets.readable import require_readable
from edge_fer.errors import CheckpointError
from edge_fer.progress import Progress
from edge_fer.storage import write_file
from edge_fer.training import folds
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.fit import fit
from edge_fer.training.initial import identity
from edge_fer.training.machine import chosen_precision
from edge_fer.training.pool import groups_of, pooled, told
from edge_fer.training.predict import predict_samples
from edge_fer.training.recipe import Recipe
from edge_fer.training.setting import Setting
from edge_fer.types import Sample

RESULT = "fold.json"


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for; small enough to be sent to another machine."""

    data: str
    splits: tuple[str, ...]
    count: int
    """Folds."""
    grouped: bool
    recipe: Recipe
    init: str
    precision: str
    out: Path
    """Seen under the same name by every machine that works on it."""
    teacher: Path | None = None

    def setting(self) -> Setting:
        """What every fold's run has in common."""
        learnt = Checkpoint.load(self.teacher) if self.teacher else None
        return Setting(self.recipe, self.init, chosen_precision(self.precision), learnt)

    def asked(self) -> dict[str, Any]:
        """What the folds of a run that goes on must have been made for."""
        learnt = Checkpoint.load(self.teacher).sha256 if self.teacher else None
        return {
            "kfold": self.count,
            "grouped": self.grouped,
            "recipe": self.recipe.to_json(),
            "weights": identity(self.init),
            "teacher": learnt,
            "precision": self.precision,
        }


def prepare(order: Order, progress: Progress) -> tuple[list[Sample], folds.Plan]:
    """The pool and its folds: as they were laid down, else made now."""
    samples = pooled(order.data, order.splits)
    asked = folds.identity(samples, **order.asked())
    found = folds.load(order.out, asked)
    if found is None:
        groups = None
        if order.grouped:
            groups = groups_of(samples, order.data, progress)
        else:
            require_readable(samples, order.data, progress)
        found = folds.plan(samples, groups, order.count, order.recipe.seed)
        folds.save(order.out, found, asked)
    return samples, found


def run_fold(order: Order, number: int, progress: Progress) -> None:
    """Train and test one fold, unless that is done; `number` counts from 1."""
    folder = fold_folder(order.out, number)
    if (folder / RESULT).is_file():
        return
    samples, made = prepare(order, progress)
    fold = made.folds[number - 1]
    said = told(progress, f"fold {number}")
    train, held_out = ([samples[i] for i in part] for part in (fold.train, fold.validation))
    checkpoint = fit(train, held_out, order.setting(), order.data, folder, said)
    test(checkpoint, [samples[i] for i in fold.test], folder, said)


def test(checkpoint: Checkpoint, samples: Sequence[Sample], folder: Path, said: Progress) -> None:
    """What a fold's network answers to the faces that were held out: `fold.json`."""
    keras.backend.clear_session()
    scores, truth = predict_samples(checkpoint, samples, said), classes_of(samples)
    record = {
        "checkpoint": checkpoint.sha256,
        "truth": truth.tolist(),
        "answers": scores.argmax(1).tolist(),
        "summary": statistics.summary(scores, truth),
        "validation": checkpoint.metrics["validation"]["accuracy"],
        "faces_per_s": checkpoint.made.get("faces_per_s"),
    }
    write_file(folder / RESULT, (json.dumps(record) + "\n").encode())


def result(folder: Path) -> dict[str, Any]:
    """The `fold.json` of a fold that is done; raises CheckpointError."""
    try:
        return dict(json.loads((folder / RESULT).read_text()))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / RESULT}: cannot be read ({error}); remove it") from error


def fold_folder(out: Path, number: int) -> Path:
    """Where a fold's run lies; `number` counts from 1."""
    return out / f"fold-{number}"

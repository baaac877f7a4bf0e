"""The figures of a cross-validation: mean and spread over folds, and all answers together.

`kfold.json` has the schema `edge-fer/kfold/1`: the fields of `CrossValidation`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from edge_fer import statistics
from edge_fer.datasets import list_hash
from edge_fer.datasets.faces import schemes
from edge_fer.emotions import LABELS
from edge_fer.progress import Progress
from edge_fer.storage import write_file
from edge_fer.training.kfold import Order, fold_folder, prepare, result, run_fold
from edge_fer.training.machine import tools
from edge_fer.training.seen import Seen, seen
from edge_fer.training.spread import each

SCHEMA = "edge-fer/kfold/1"
NAME = "kfold.json"
FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "calibration_error")


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the folds."""

    mean: float
    sd: float
    """Of a sample, with n - 1."""


@dataclass(frozen=True, slots=True)
class Folds:
    """What the folds of one kind of training came to."""

    each: tuple[dict[str, Any], ...]
    """`edge_fer.statistics.summary` of every fold."""
    over_folds: dict[str, Spread]
    pooled: dict[str, Any]
    """Accuracy with Wilson's interval, confusion, precision and recall over all faces."""


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """The whole result."""

    data: str
    splits: tuple[str, ...]
    faces: int
    sha256: str
    """Of the list of faces."""
    kfold: int
    grouped: bool
    grouping: str
    groups: int
    recipe: dict[str, Any]
    init: str
    weights: str
    """What `init` is by content: a hash, or "random" or "imagenet"."""
    teacher: str | None
    """Hash of the checkpoint whose answers were learnt."""
    seen: Seen
    """Empty where neither of them may have seen a tested face."""
    made: dict[str, Any]
    result: Folds

    def to_json(self) -> str:
        """The text of `kfold.json`."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


def cross_validate(order: Order, ray: str | None, progress: Progress) -> CrossValidation:
    """Run what is left of the folds, here or on Ray; writes `kfold.json` and returns it."""
    samples, made = prepare(order, progress)
    numbers = range(1, order.count + 1)
    each(run_fold, [(order, number) for number in numbers], ray, progress)
    asked = order.asked()
    done = CrossValidation(
        schemes(order.data),
        order.splits,
        len(samples),
        list_hash(samples),
        order.count,
        order.grouped,
        made.grouping,
        made.groups,
        order.recipe.to_json(),
        Path(order.init).name,
        asked["weights"],
        asked["teacher"],
        seen(order.init, order.teacher, order.data),
        tools(),
        folds_of([fold_folder(order.out, number) for number in numbers]),
    )
    write_file(order.out / NAME, done.to_json().encode())
    return done


def folds_of(folders: Sequence[Path]) -> Folds:
    """The folds in these folders, all of them done."""
    results = [result(folder) for folder in folders]
    summaries = tuple(found["summary"] for found in results)
    over = {
        name: Spread(fmean(s[name] for s in summaries), stdev(s[name] for s in summaries))
        for name in FIGURES
    }
    truth, answers = (
        np.concatenate([found[key] for found in results]).astype(np.int64)
        for key in ("truth", "answers")
    )
    return Folds(summaries, over, _pooled(answers, truth))


def _pooled(answers: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    rate, table = statistics.accuracy(answers, truth), statistics.confusion(answers, truth)
    return {
        "faces": len(truth),
        "accuracy": rate.value,
        "accuracy_95": [rate.low, rate.high],
        "balanced_accuracy": statistics.balanced_accuracy(answers, truth),
        "macro_f1": statistics.macro_f1(answers, truth),
        "recall": _shares(table.diagonal(), table.sum(1)),
        "precision": _shares(table.diagonal(), table.sum(0)),
        "confusion": table.tolist(),
    }


def _shares(hits: np.ndarray, totals: np.ndarray) -> dict[str, float]:
    pairs = zip(LABELS, hits, totals, strict=True)
    return {label: float(hit / total) for label, hit, total in pairs if total}

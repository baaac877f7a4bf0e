"""What a card tells besides a run's own figures: faults, cross-validation, a student."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edge_fer import statistics
from edge_fer.datasets.corruptions import CORRUPTIONS, corrupted
from edge_fer.datasets.faces import classes_of
from edge_fer.errors import BadData, NotFound
from edge_fer.progress import Progress
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.pool import told
from edge_fer.training.predict import predict_samples
from edge_fer.types import FaceBatch, Sample


def faults(checkpoint: Checkpoint, samples: Sequence[Sample], progress: Progress) -> dict[str, Any]:
    """Accuracy of the validation faces under each fault, and its paired loss against clean."""
    truth = classes_of(samples)
    clean = predict_samples(checkpoint, samples, told(progress, "clean")).argmax(1)
    found = {}
    for name in CORRUPTIONS:
        cut = partial(_cut, name)
        answers = predict_samples(checkpoint, samples, told(progress, name), cut).argmax(1)
        found[name] = _beside(answers, clean, truth)
    rate = statistics.accuracy(clean, truth).value
    return {"split": "validation", "faces": len(truth), "clean": rate, "each": found}


def folds(file: Path) -> dict[str, Any]:
    """What the card tells of a `kfold.json`; raises NotFound or BadData."""
    try:
        found = json.loads(file.read_text())
        kept = (
            "data",
            "splits",
            "faces",
            "kfold",
            "grouped",
            "grouping",
            "groups",
            "recipe",
            "init",
        )
        over = found["result"]["over_folds"]["accuracy"]
        seen = found.get("seen", {})  # the files of earlier versions do not tell
        return {**{key: found[key] for key in kept}, "accuracy": over, "seen": seen}
    except FileNotFoundError as error:
        raise NotFound(f"{file}: no such cross-validation") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadData(f"{file}: not the kfold.json of a cross-validation ({error})") from error


def student(
    folder: Path, samples: Sequence[Sample], teacher: np.ndarray, progress: Progress
) -> dict[str, Any]:
    """A student's figures on the faces to which its teacher gave the answers `teacher`."""
    checkpoint, truth = Checkpoint.load(folder), classes_of(samples)
    scores = predict_samples(checkpoint, samples, progress)
    return {
        "sha256": checkpoint.sha256,
        "width": checkpoint.recipe.architecture.width,
        "parameters": sum(values.size for values in checkpoint.weights.values()),
        "test": statistics.summary(scores, truth),
        **_beside(scores.argmax(1), teacher, truth),
    }


def _cut(name: str, samples: Sequence[Sample], size: int) -> FaceBatch:
    return corrupted(samples, size, name)


def _beside(answers: np.ndarray, others: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    rate = statistics.accuracy(answers, truth)
    change = statistics.paired_difference(answers, others, truth)
    return {
        "accuracy": rate.value,
        "accuracy_95": [rate.low, rate.high],
        "difference": change.value,
        "difference_95": [change.low, change.high],
    }

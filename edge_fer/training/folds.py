"""Which faces train, calibrate and test in each fold; decided once, then read from a file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_fer.datasets import list_hash, require_all_seven
from edge_fer.datasets.faces import classes_of
from edge_fer.errors import CheckpointError, ConfigError
from edge_fer.plugins import missing
from edge_fer.storage import write_file
from edge_fer.training.pool import Groups
from edge_fer.types import Sample

NAME = "folds.json"
HELD_OUT, MOST_HELD_OUT = 0.1, 5000
"""Share of a fold's training faces, and the most of them, that only calibrate the model."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Positions in the pool; no group stands in two of the three."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    """For the temperature, the threshold and the curves: nothing is chosen on `test`."""
    test: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All folds of a pool."""

    grouping: str
    """What was kept together: a word of `edge_fer.training.pool`, or "nothing"."""
    groups: int
    folds: tuple[Fold, ...]


def plan(samples: Sequence[Sample], groups: Groups | None, count: int, seed: int) -> Plan:
    """Stratified folds, grouped unless `groups` is None; each face is tested once.

    Raises ConfigError where there are too few groups or faces, and BadData where the training faces
    of a fold lack an expression.
    """
    try:
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
    except ModuleNotFoundError as error:
        raise missing(error.name or "sklearn", "--kfold") from error

    of = np.array(groups.of if groups else range(len(samples)))
    classes = classes_of(samples)
    _check(groups, len(samples), count)
    _check_classes(classes, count)
    splitter = StratifiedGroupKFold if groups else StratifiedKFold
    with warnings.catch_warnings():
        # A class with fewer faces than folds: `require_all_seven` decides whether that matters.
        warnings.simplefilter("ignore", UserWarning)
        parts = list(splitter(count, shuffle=True, random_state=seed).split(of, classes, of))
    folds = tuple(_fold(rest, test, of, classes, seed) for rest, test in parts)
    for number, fold in enumerate(folds, start=1):
        require_all_seven((samples[i] for i in fold.train), f"fold {number}, training faces")
    return Plan(groups.kind if groups else "nothing", groups.count if groups else 0, folds)


def _check(groups: Groups | None, faces: int, count: int) -> None:
    if count < 2:
        raise ConfigError(f"--kfold {count}: at least 2 folds are needed")
    known, word = (groups.count, f"{groups.kind}s") if groups else (faces, "faces")
    # One more than the folds: a fold's training faces are themselves split, to calibrate.
    if known < max(count, 3):
        raise ConfigError(
            f"--kfold {count}: there are only {known} {word}; choose fewer folds"
            + (", or --no-group" if groups else "")
        )


def _check_classes(classes: np.ndarray, count: int) -> None:
    most = int(np.bincount(classes).max())
    if most < count:
        raise ConfigError(
            f"--kfold {count}: no expression has more than {most} faces; choose fewer folds"
        )


def _fold(rest: Any, test: Any, of: np.ndarray, classes: np.ndarray, seed: int) -> Fold:
    if not len(test):
        raise ConfigError(
            "--kfold: groups of very different size leave a fold without faces to test; "
            "choose fewer folds, or --no-group"
        )
    train, validation = held_out(of[rest], classes[rest], seed)
    return Fold(tuple(rest[train].tolist()), tuple(rest[validation].tolist()), tuple(test.tolist()))


def held_out(of: np.ndarray, classes: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the faces that train, and of about a tenth of each class that do not.

    `of` has a group for each face, `classes` its class. Groups are kept whole: in an order drawn by
    `seed`, each one is held out that there is room for and that brings the classes nearer to their
    tenth; at least one is. Raises ConfigError where all faces are one group.
    """
    groups, number = np.unique(of, return_inverse=True)
    if len(groups) < 2:
        raise ConfigError(
            "the faces that would train are all one group (a subject, or copies of one picture): "
            "none can be held out; give more faces, choose fewer folds, or --no-group"
        )
    counts = np.zeros((len(groups), int(classes.max()) + 1))
    np.add.at(counts, (number, classes), 1)
    left = min(HELD_OUT, MOST_HELD_OUT / len(of)) * counts.sum(axis=0)
    chosen = np.zeros(len(groups), bool)
    for group in np.random.default_rng(seed).permutation(len(groups)):
        after = left - counts[group]
        if after.sum() > -0.5 and after @ after < left @ left:
            chosen[group], left = True, after
    if not chosen.any():
        chosen[counts.sum(axis=1).argmin()] = True
    return np.flatnonzero(~chosen[number]), np.flatnonzero(chosen[number])


def identity(samples: Sequence[Sample], **asked: Any) -> dict[str, Any]:
    """What must be the same when a run goes on: the faces in order, and all that was asked."""
    return {"faces": len(samples), "sha256": list_hash(samples), **asked}


def save(folder: Path, made: Plan, identity: dict[str, Any]) -> None:
    """Write `folds.json`; raises StorageError."""
    record = {"identity": identity, "plan": asdict(made)}
    write_file(folder / NAME, (json.dumps(record) + "\n").encode())


def load(folder: Path, identity: dict[str, Any]) -> Plan | None:
    """The plan of a run that was begun, or None; raises CheckpointError for that of another."""
    file = folder / NAME
    try:
        record = json.loads(file.read_text())
        known, made = record["identity"], record["plan"]
        folds = tuple(Fold(**{k: tuple(v) for k, v in f.items()}) for f in made["folds"])
        found = Plan(made["grouping"], made["groups"], folds)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file}: cannot be read ({error}); remove {folder}") from error
    # Through JSON, as the file has been: a tuple comes back as a list.
    asked = json.loads(json.dumps(identity))
    # What the plan of an earlier version does not tell is not compared.
    changed = sorted(key for key in asked if key in known and known[key] != asked[key])
    if changed:
        raise CheckpointError(
            f"{file}: of a run with another {', '.join(changed)}; choose another --out"
        )
    return found

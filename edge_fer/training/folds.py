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

    Raises ConfigError where the groups are fewer than the folds, and BadData where the training
    faces of a fold lack an expression.
    """
    try:
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
    except ModuleNotFoundError as error:
        raise missing(error.name or "sklearn", "--kfold") from error

    of = np.array(groups.of if groups else range(len(samples)))
    _check(groups, len(samples), count)
    splitter = StratifiedGroupKFold if groups else StratifiedKFold
    with warnings.catch_warnings():
        # A class with fewer faces than folds: `require_all_seven` decides whether that matters.
        warnings.simplefilter("ignore", UserWarning)
        parts = splitter(count, shuffle=True, random_state=seed).split(of, classes_of(samples), of)
        folds = tuple(_fold(rest, test, of, seed) for rest, test in parts)
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


def _fold(rest: Any, test: Any, of: np.ndarray, seed: int) -> Fold:
    train, validation = held_out(of[rest], seed)
    return Fold(tuple(rest[train].tolist()), tuple(rest[validation].tolist()), tuple(test.tolist()))


def held_out(of: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions that train, and whole groups that calibrate; `of` has a group for each face."""
    from sklearn.model_selection import GroupShuffleSplit

    share = min(HELD_OUT, MOST_HELD_OUT / len(of))
    parts = GroupShuffleSplit(1, test_size=share, random_state=seed).split(of, groups=of)
    train, validation = next(iter(parts))
    return train, validation


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
    changed = sorted(key for key in asked if known.get(key) != asked[key])
    if changed:
        raise CheckpointError(
            f"{file}: of a run with another {', '.join(changed)}; choose another --out"
        )
    return found

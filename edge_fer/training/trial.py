"""The table of the experiments: every one on the same folds, with intervals.

`experiments.json` has the schema `edge-fer/experiments/1`: the fields of `Trials`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_fer.datasets import list_hash
from edge_fer.datasets.faces import schemes
from edge_fer.progress import Progress
from edge_fer.statistics import Interval, paired_difference
from edge_fer.storage import write_file
from edge_fer.training import left_out
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.cross import Folds, folds_of
from edge_fer.training.experiments import LARGE, NAMES, Trial, large_samples, run_one, train_large
from edge_fer.training.kfold import fold_folder, prepare, result
from edge_fer.training.machine import tools
from edge_fer.training.seen import Seen, seen
from edge_fer.training.spread import each

SCHEMA = "edge-fer/experiments/1"
NAME = "experiments.json"
PAPER = ("affectnet", "empathic")
"""Large and small collection of the paper; any others stand in for them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment."""

    name: str
    result: Folds
    over_first: Interval | None
    """Accuracy minus that of the first experiment on the same faces; None for that one."""


@dataclass(frozen=True, slots=True)
class Trials:
    """The whole result."""

    large: str
    small: str
    splits: tuple[str, ...]
    stand_in: bool
    """Neither or not both are the paper's own collections."""
    faces: int
    """Of the small collection."""
    sha256: str
    left_out: int
    """Faces of the large collection that the small one holds too, or nearly."""
    large_faces: int | None
    """That the network of the large collection learnt from."""
    kfold: int
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
    rows: tuple[Row, ...]

    def to_json(self) -> str:
        """The text of `experiments.json`."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


def run(trial: Trial, ray: str | None, progress: Progress) -> Trials:
    """Run what is left of the experiments, here or on Ray; writes and returns the table."""
    samples, made = prepare(trial.small, progress)
    if set(trial.names) != {"scratch"}:
        large_samples(trial, progress)
    if {"frozen", "finetune"} & set(trial.names):
        each(train_large, [(trial,)], ray, progress)
    numbers = range(1, trial.small.count + 1)
    each(run_one, [(trial, name, n) for name in trial.names for n in numbers], ray, progress)
    out = trial.small.out
    asked = trial.small.asked()
    done = Trials(
        schemes(trial.large),
        schemes(trial.small.data),
        trial.small.splits,
        (schemes(trial.large), schemes(trial.small.data)) != PAPER,
        len(samples),
        list_hash(samples),
        left_out.count(out) if (out / left_out.NAME).is_file() else 0,
        _large_faces(trial.folder(LARGE)),
        trial.small.count,
        made.grouping,
        made.groups,
        trial.small.recipe.to_json(),
        Path(trial.small.init).name,
        asked["weights"],
        asked["teacher"],
        seen(trial.small.init, trial.small.teacher, trial.small.data),
        tools(),
        _rows(trial),
    )
    write_file(out / NAME, done.to_json().encode())
    return done


def _rows(trial: Trial) -> tuple[Row, ...]:
    numbers = range(1, trial.small.count + 1)
    order = [name for name in NAMES if name in trial.names]
    folders = {n: [fold_folder(trial.folder(n), number) for number in numbers] for n in order}
    first, truth = _column(folders[order[0]], "answers"), _column(folders[order[0]], "truth")
    return tuple(
        Row(
            name,
            folds_of(folders[name]),
            paired_difference(_column(folders[name], "answers"), first, truth)
            if name != order[0]
            else None,
        )
        for name in order
    )


def _column(folders: list[Path], key: str) -> np.ndarray:
    return np.concatenate([result(folder)[key] for folder in folders]).astype(np.int64)


def _large_faces(folder: Path) -> int | None:
    if not (folder / "checkpoint.json").is_file():
        return None
    return int(Checkpoint.load(folder).data["train"]["faces"])

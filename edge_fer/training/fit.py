"""One training run: two phases, resumable, the same on every Keras backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_fer import statistics
from edge_fer.datasets import list_hash
from edge_fer.datasets.faces import schemes
from edge_fer.errors import ConfigError
from edge_fer.progress import Progress
from edge_fer.protocols import Dataset
from edge_fer.training import state
from edge_fer.training.calibrate import abstention_threshold, fit_scaling, softmax
from edge_fer.training.checkpoint import Checkpoint, weights_of
from edge_fer.training.initial import check
from edge_fer.training.machine import chosen_precision, peak_memory, tools
from edge_fer.training.recipe import Recipe
from edge_fer.training.run import Run
from edge_fer.training.seen import seen_by
from edge_fer.training.setting import Setting
from edge_fer.training.splits import splits_of
from edge_fer.types import Sample


def train(
    dataset: Dataset,
    recipe: Recipe,
    init: str,
    out: Path,
    precision: str,
    progress: Progress,
    teacher: Path | None = None,
) -> Checkpoint:
    """Fine-tune on the train split, choose nothing on test; writes and returns the checkpoint.

    Of data without splits a tenth is held out for validation (`edge_fer.training.splits`).
    A run that was stopped goes on from its last saved state when it is started again with the
    same arguments. With a `teacher`, a checkpoint folder, its answers are learnt as well.
    """
    check(init)
    if Path(init).exists() and Path(init).resolve() == out.resolve():
        raise ConfigError(f"{out}: --init and --out are one folder; choose another --out")
    learnt = Checkpoint.load(teacher) if teacher else None
    setting = Setting(recipe, init, chosen_precision(precision), learnt)
    begun = state.load_record(out / state.NAME) is not None
    found = splits_of(dataset, begun, progress)
    return fit(found.train, found.validation, setting, dataset.name, out, progress, found.drawn)


def fit(
    samples: Sequence[Sample],
    held_out: Sequence[Sample],
    setting: Setting,
    spec: str,
    out: Path,
    progress: Progress,
    drawn: str | None = None,
) -> Checkpoint:
    """`train` on lists of faces: all seven expressions among `samples`, and all readable.

    `drawn` says for the record how the held-out faces were chosen, where the data have no splits.
    """
    run = Run(samples, held_out, setting, out, progress)
    run.go()
    checkpoint = _checkpoint(run, spec, drawn)
    checkpoint.save(out)
    return checkpoint


def _checkpoint(run: Run, spec: str, drawn: str | None) -> Checkpoint:
    """Calibration, threshold and figures, from the validation faces at the run's precision."""
    logits, recipe = run.logits(), run.setting.recipe
    scaling = fit_scaling(logits, run.truth)
    scores = softmax(scaling(logits))
    return Checkpoint(
        weights=scaling.folded(weights_of(run.model)),
        recipe=recipe,
        abstain_below=abstention_threshold(scores, recipe.coverage),
        data={
            "train": _facts(run.samples, spec),
            "validation": _facts(run.held_out, spec) | ({"drawn": drawn} if drawn else {}),
        },
        metrics={"validation": statistics.summary(scores, run.truth)},
        made={
            **tools(),
            "precision": run.setting.precision,
            "calibration": scaling.to_json(),
            **run.start,
            **_teacher(run.setting.teacher),
            "faces_per_s": run.curves.faces_per_s(),
            "peak_memory_bytes": peak_memory(),
        },
    )


def _facts(samples: Sequence[Sample], spec: str) -> dict[str, Any]:
    return {"spec": schemes(spec), "faces": len(samples), "sha256": list_hash(samples)}


def _teacher(teacher: Checkpoint | None) -> dict[str, Any]:
    if teacher is None:
        return {}
    known = teacher.metrics.get("validation", {}).get("accuracy")
    return {
        "teacher": {
            "sha256": teacher.sha256,
            "validation_accuracy": known,
            "seen": seen_by(teacher),
        }
    }

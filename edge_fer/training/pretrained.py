"""Makes the shipped checkpoint out of a run: half precision, figures and card in one step.

    python -m edge_fer.training.pretrained RUN [RUN...] --data fer2013:PATH

Of several runs the mean of the weights ships. All figures are measured here, in float32, on the
weights as they ship (rounded to float16), in one pass without test-time augmentation. Calibration
and threshold come from validation, and so does the table of faults; the test split is read once,
and the record counts how often that was.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_fer import statistics
from edge_fer.datasets import list_hash, open_dataset, samples_of
from edge_fer.datasets.faces import classes_of, schemes
from edge_fer.errors import BadData, EdgeFerError, NotFound
from edge_fer.progress import Bars, Progress
from edge_fer.protocols import Dataset
from edge_fer.storage import write_file
from edge_fer.training import beside_card
from edge_fer.training.calibrate import abstention_threshold, fit_scaling
from edge_fer.training.card import card
from edge_fer.training.checkpoint import RECORD, SHIPPED, Checkpoint, Weights
from edge_fer.training.curves import NAME
from edge_fer.training.pool import told
from edge_fer.training.predict import logits_of, predict_samples
from edge_fer.training.soup import soup
from edge_fer.types import Sample

NEEDED = ("step", "phase", "loss", "validation_accuracy")
"""Columns of the curves that the card shows."""


@dataclass(frozen=True, slots=True)
class Besides:
    """What the card may tell besides the run's own figures."""

    earlier: tuple[Path, ...] = ()
    """Checkpoints of the runs before, where the records do not tell of them."""
    kfold: Path | None = None
    """`kfold.json` of a cross-validation."""
    student: Path | None = None
    """Checkpoint that was distilled from this one."""
    faults: bool = True
    """Measure under the faults of `edge_fer.datasets.corruptions`."""


def ship(
    runs: Sequence[Path],
    dataset: Dataset,
    out: Path,
    progress: Progress,
    besides: Besides | None = None,
) -> Checkpoint:
    """Write `out` from the mean of some runs' checkpoints; returns what was written.

    Nothing is written before all is known. Raises NotFound or BadData where a run's checkpoint or
    curves are missing or damaged.
    """
    besides = besides or Besides()
    curves = _curves(runs[-1] / NAME)
    trained = soup([Checkpoint.load(run) for run in runs], besides.earlier)
    checkpoint = replace(trained, weights=_halves(trained.weights))
    checkpoint = _calibrated(checkpoint, dataset, progress)
    before = Checkpoint.load(out) if (out / RECORD).is_file() else None
    if besides.faults:
        checkpoint = _under_faults(checkpoint, before, dataset, progress)
    if besides.kfold:
        checkpoint = checkpoint.with_metrics(kfold=beside_card.folds(besides.kfold))
    checkpoint = _tested(checkpoint, before, dataset, besides.student, progress)
    text = card(checkpoint, curves)
    checkpoint.save(out, half=True)
    write_file(out / "README.md", text.encode())
    return checkpoint


def _curves(file: Path) -> str:
    """The curves of the run that the card tells of."""
    try:
        text = file.read_text()
    except FileNotFoundError as error:
        raise NotFound(f"{file}: missing; the card tells of a run's course") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{file}: not the curves of a run") from error
    if not set(NEEDED) <= set(next(csv.reader(text.splitlines()), [])):
        raise BadData(f"{file}: not the curves of a run; they have {', '.join(NEEDED)}")
    return text


def _halves(weights: Weights) -> Weights:
    """The weights as they will be read back from float16."""
    return {k: v.astype(np.float16).astype(np.float32) for k, v in weights.items()}


def _calibrated(checkpoint: Checkpoint, dataset: Dataset, progress: Progress) -> Checkpoint:
    """Calibration, then threshold and validation figures of what it became, in float32."""
    samples = samples_of(dataset, "validation")
    plain = replace(checkpoint, temperature=1.0)
    logits, truth = logits_of(plain, samples, told(progress, "calibration")), classes_of(samples)
    scaling = fit_scaling(logits, truth)
    final = replace(
        plain,
        weights=_halves(scaling.folded(plain.weights)),
        made={**plain.made, "calibration": scaling.to_json()},
    )
    scores = predict_samples(final, samples, told(progress, "validation"))
    threshold = abstention_threshold(scores, checkpoint.recipe.coverage)
    return replace(final, abstain_below=threshold).with_metrics(
        validation=statistics.summary(scores, truth)
    )


def _under_faults(
    checkpoint: Checkpoint, before: Checkpoint | None, dataset: Dataset, progress: Progress
) -> Checkpoint:
    """The table of faults; that of the same network is not measured twice."""
    known = before.metrics.get("corruptions") if before else None
    if before is None or before.sha256 != checkpoint.sha256 or not known:
        known = beside_card.faults(checkpoint, samples_of(dataset, "validation"), progress)
    return checkpoint.with_metrics(corruptions=known)


def _tested(
    checkpoint: Checkpoint,
    before: Checkpoint | None,
    dataset: Dataset,
    student: Path | None,
    progress: Progress,
) -> Checkpoint:
    """The figures on the test split, which this function alone reads."""
    test = samples_of(dataset, "test")
    scores = predict_samples(checkpoint, test, told(progress, "test"))
    fresh, truth = _not_in(test, samples_of(dataset, "train")), classes_of(test)
    checkpoint = checkpoint.with_metrics(
        test=statistics.summary(scores, truth),
        test_without_training_duplicates=statistics.summary(scores[fresh], truth[fresh]),
    )
    if student:
        answers = scores.argmax(1)
        beside = beside_card.student(student, test, answers, told(progress, "student"))
        checkpoint = checkpoint.with_metrics(student=beside)
    record = {
        "spec": schemes(dataset.name),
        "faces": len(test),
        "sha256": list_hash(test),
        "read": _reads(checkpoint, before),
    }
    return replace(checkpoint, data={**checkpoint.data, "test": record})


def _reads(checkpoint: Checkpoint, before: Checkpoint | None) -> int:
    """How many checkpoints' figures the test split gave, this one and those it takes the place of.

    A new card for the same network tells nothing new and is not counted.
    """
    record = before.data.get("test") if before else None
    reads = int(record.get("read", 1)) if record else 0
    same = before is not None and before.sha256 == checkpoint.sha256
    return max(reads, 1) if same else reads + 1


def _not_in(samples: Sequence[Sample], others: Sequence[Sample]) -> np.ndarray:
    """(N,) bool: faces whose pixels do not occur among the others."""
    seen = {other.read().tobytes() for other in others}
    return np.array([sample.read().tobytes() not in seen for sample in samples])


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="+")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--earlier", type=Path, action="append", default=[])
    parser.add_argument("--kfold", type=Path)
    parser.add_argument("--student", type=Path)
    parser.add_argument("--faults", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    besides = Besides(tuple(asked.earlier), asked.kfold, asked.student, asked.faults)
    try:
        with Bars() as bars:
            checkpoint = ship(asked.run, open_dataset(asked.data), asked.out, bars, besides)
    except EdgeFerError as error:
        print(f"pretrained: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(error.exit_code)
    print(asked.out, checkpoint.metrics["test"]["accuracy"])


if __name__ == "__main__":
    main()

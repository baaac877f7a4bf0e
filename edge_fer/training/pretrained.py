"""Makes the shipped checkpoint out of a run: half precision, figures and card in one step.

    python -m edge_fer.training.pretrained RUN --data fer2013:PATH

All figures are measured here, in float32, on the weights as they ship (rounded to float16), in
one pass without test-time augmentation. Temperature and threshold come from validation, and so does
the table of faults; the test split is read once, and the record counts how often that was.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_fer import statistics
from edge_fer.datasets import list_hash, open_dataset, samples_of
from edge_fer.datasets.faces import classes_of, schemes
from edge_fer.progress import Bars, Progress
from edge_fer.protocols import Dataset
from edge_fer.storage import write_file
from edge_fer.training import beside_card
from edge_fer.training.card import card
from edge_fer.training.checkpoint import RECORD, SHIPPED, Checkpoint
from edge_fer.training.lineage import earlier
from edge_fer.training.pool import told
from edge_fer.training.predict import predict_samples
from edge_fer.training.temperature import abstention_threshold, fit_temperature
from edge_fer.types import Sample


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
    run: Path, dataset: Dataset, out: Path, progress: Progress, besides: Besides | None = None
) -> Checkpoint:
    """Write `out` from the checkpoint of a run; returns what was written."""
    besides = besides or Besides()
    trained = Checkpoint.load(run)
    checkpoint = replace(
        _halved(trained),
        made={**trained.made, "lineage": earlier(trained, besides.earlier)},
    )
    checkpoint = _calibrated(checkpoint, dataset, progress)
    if besides.faults:
        faults = beside_card.faults(checkpoint, samples_of(dataset, "validation"), progress)
        checkpoint = checkpoint.with_metrics(corruptions=faults)
    if besides.kfold:
        checkpoint = checkpoint.with_metrics(kfold=beside_card.folds(besides.kfold))
    checkpoint = _tested(checkpoint, dataset, out, besides.student, progress)
    checkpoint.save(out, half=True)
    write_file(out / "README.md", card(checkpoint, (run / "curves.csv").read_text()).encode())
    return checkpoint


def _halved(checkpoint: Checkpoint) -> Checkpoint:
    """The weights as they will be read back from float16."""
    rounded = {k: v.astype(np.float16).astype(np.float32) for k, v in checkpoint.weights.items()}
    return replace(checkpoint, weights=rounded)


def _calibrated(checkpoint: Checkpoint, dataset: Dataset, progress: Progress) -> Checkpoint:
    """Temperature, threshold and validation figures anew, in float32."""
    samples = samples_of(dataset, "validation")
    plain = replace(checkpoint, temperature=1.0)
    scores = predict_samples(plain, samples, told(progress, "validation"))
    truth = classes_of(samples)
    temperature = fit_temperature(np.log(np.maximum(scores, 1e-30)), truth)
    sharpened = scores ** (1 / temperature)
    scores = (sharpened / sharpened.sum(1, keepdims=True)).astype(np.float32)
    return replace(
        checkpoint,
        temperature=temperature,
        abstain_below=abstention_threshold(scores, checkpoint.recipe.coverage),
    ).with_metrics(validation=statistics.summary(scores, truth))


def _tested(
    checkpoint: Checkpoint, dataset: Dataset, out: Path, student: Path | None, progress: Progress
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
        "read": 1 + _reads_before(out),
    }
    return replace(checkpoint, data={**checkpoint.data, "test": record})


def _reads_before(out: Path) -> int:
    """How often the test split was read for the checkpoints that this one takes the place of."""
    if not (out / RECORD).is_file():
        return 0
    before = Checkpoint.load(out).data.get("test")
    return int(before.get("read", 1)) if before else 0


def _not_in(samples: Sequence[Sample], others: Sequence[Sample]) -> np.ndarray:
    """(N,) bool: faces whose pixels do not occur among the others."""
    seen = {other.read().tobytes() for other in others}
    return np.array([sample.read().tobytes() not in seen for sample in samples])


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--earlier", type=Path, action="append", default=[])
    parser.add_argument("--kfold", type=Path)
    parser.add_argument("--student", type=Path)
    parser.add_argument("--faults", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    besides = Besides(tuple(asked.earlier), asked.kfold, asked.student, asked.faults)
    with Bars() as bars:
        checkpoint = ship(asked.run, open_dataset(asked.data), asked.out, bars, besides)
    print(asked.out, checkpoint.metrics["test"]["accuracy"])


if __name__ == "__main__":
    main()

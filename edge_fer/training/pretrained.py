"""Makes the shipped checkpoint out of a run: half precision, figures and card in one step.

    python -m edge_fer.training.pretrained RUN --data fer2013:PATH

All figures are measured here, in float32, on the weights as they ship (rounded to float16), in
one pass without test-time augmentation. Temperature and threshold come from validation; the test
split is read once.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edge_fer import statistics
from edge_fer.datasets import list_hash, open_dataset, samples_of
from edge_fer.datasets.faces import classes_of, faces_of, schemes
from edge_fer.progress import Bars, Progress
from edge_fer.protocols import Dataset
from edge_fer.storage import write_file
from edge_fer.training.card import card
from edge_fer.training.checkpoint import SHIPPED, Checkpoint
from edge_fer.training.predict import predict
from edge_fer.training.temperature import abstention_threshold, fit_temperature
from edge_fer.types import Sample, ScoreBatch


def ship(run: Path, dataset: Dataset, out: Path, progress: Progress) -> Checkpoint:
    """Write `out` from the checkpoint of a run; returns what was written."""
    checkpoint = _halved(Checkpoint.load(run))
    checkpoint = _calibrated(checkpoint, dataset, progress)
    test = samples_of(dataset, "test")
    scores = _scores(checkpoint, test, partial(progress, "test"))
    fresh = _not_in(test, samples_of(dataset, "train"))
    truth = classes_of(test)
    checkpoint = checkpoint.with_metrics(
        test=statistics.summary(scores, truth),
        test_without_training_duplicates=statistics.summary(scores[fresh], truth[fresh]),
    )
    record = {"spec": schemes(dataset.name), "faces": len(test), "sha256": list_hash(test)}
    checkpoint = replace(checkpoint, data={**checkpoint.data, "test": record})
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
    scores, truth = _scores(plain, samples, partial(progress, "validation")), classes_of(samples)
    temperature = fit_temperature(np.log(np.maximum(scores, 1e-30)), truth)
    sharpened = scores ** (1 / temperature)
    scores = (sharpened / sharpened.sum(1, keepdims=True)).astype(np.float32)
    return replace(
        checkpoint,
        temperature=temperature,
        abstain_below=abstention_threshold(scores, checkpoint.recipe.coverage),
    ).with_metrics(validation=statistics.summary(scores, truth))


def _scores(checkpoint: Checkpoint, samples: Sequence[Sample], progress: Any) -> ScoreBatch:
    return predict(checkpoint, faces_of(samples, checkpoint.recipe.architecture.size), progress)


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
    asked = parser.parse_args()
    with Bars() as bars:
        checkpoint = ship(asked.run, open_dataset(asked.data), asked.out, bars)
    print(asked.out, checkpoint.metrics["test"]["accuracy"])


if __name__ == "__main__":
    main()

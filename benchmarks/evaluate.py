"""One model on one split: accuracy, every expression, calibration, and groups of persons.

`evaluation.json` has the schema `edge-fer/evaluation/1`: the fields of `Evaluation`, nested as they
are declared, with `null` for whatever was not measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.faces import facts_of, spread
from benchmarks.models import open_baseline, open_bundle_engine
from benchmarks.records import FaceFacts, Model
from edge_fer.bundle import MANIFEST
from edge_fer.config import check_threads
from edge_fer.datasets import dropped_of, missing_classes, open_dataset, origin_of, samples_of
from edge_fer.datasets.corruptions import CORRUPTIONS, corrupted
from edge_fer.datasets.faces import classes_of, faces_of
from edge_fer.emotions import LABELS
from edge_fer.engines import default_threads
from edge_fer.errors import NotFound
from edge_fer.progress import Progress, silent
from edge_fer.protocols import Engine
from edge_fer.statistics import (
    Bin,
    Interval,
    accuracy,
    balanced_accuracy,
    paired_difference,
    reliability,
    summary,
    wilson,
)
from edge_fer.training.checkpoint import RECORD
from edge_fer.types import Sample, ScoreBatch

SCHEMA = "edge-fer/evaluation/1"
CHUNK = 128
"""Faces cut at once: memory stays small, however large the split."""
FEW = 100
"""Faces below which a group's accuracy says little."""
AGES = (("0 to 17", 18), ("18 to 39", 40), ("40 to 59", 60), ("60 and over", 200))
"""Bands that ages in years are put in, each with the age at which it has ended."""
UNTOLD = "not told"

Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Expression:
    """How one expression fared."""

    label: str
    faces: int
    """That wear it."""
    answers: int
    """That were said to wear it."""
    precision: Interval | None
    recall: Interval | None


@dataclass(frozen=True, slots=True)
class Group:
    """The faces that share an attribute."""

    attribute: str
    value: str
    faces: int
    accuracy: Interval
    balanced_accuracy: float


@dataclass(frozen=True, slots=True)
class Abstaining:
    """What is left when the model says "uncertain" below its own threshold."""

    threshold: float
    coverage: Interval
    """Share of faces that get a label."""
    accuracy: Interval | None
    """Among them."""


@dataclass(frozen=True, slots=True)
class Corrupted:
    """The same faces with one fault of `edge_fer.datasets.corruptions`."""

    corruption: str
    accuracy: Interval
    difference: Interval
    """Its accuracy minus that on the clean faces, paired."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The whole result."""

    made: str
    """UTC, ISO 8601."""
    edge_fer: str
    """Version."""
    name: str
    """The model's folder."""
    model: Model
    faces: FaceFacts
    protocol: str
    """`one split`: never to be listed with means over folds."""
    origin: str
    """Whose split it is."""
    summary: dict[str, Any]
    """As `edge_fer.statistics.summary` gives it."""
    expressions: tuple[Expression, ...]
    reliability: tuple[Bin, ...]
    abstaining: Abstaining | None
    groups: tuple[Group, ...]
    """By age, gender and the like, where the data tell them."""
    notes: tuple[str, ...]
    """What a reader must know before quoting a figure."""
    corruptions: tuple[Corrupted, ...] = ()
    """Empty where they were not asked for."""

    def to_json(self) -> str:
        """The text of `evaluation.json`."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


def evaluate(
    path: Path,
    data: str,
    split: str = "test",
    limit: int | None = None,
    threads: int | None = None,
    progress: Progress = silent,
    corruptions: bool = False,
) -> Evaluation:
    """Measure a checkpoint or bundle; raises NotFound, BadData, BundleError or MissingExtra.

    With `corruptions` all faces are measured again under each fault.
    """
    dataset = open_dataset(data)
    samples = spread(samples_of(dataset, split), limit)
    check_threads(threads)
    engine, model, threshold = _open(path, threads or default_threads())
    scores = predict(engine, samples, model.input_size, progress)
    truth = classes_of(samples)
    return Evaluation(
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        edge_fer=metadata.version("edge-fer"),
        name=path.resolve().name,
        model=model,
        faces=facts_of(samples, data, split),
        protocol="one split",
        origin=origin_of(dataset, split),
        summary=summary(scores, truth),
        expressions=tuple(expressions(scores.argmax(1), truth)),
        reliability=tuple(reliability(scores, truth)),
        abstaining=abstaining(scores, truth, threshold) if threshold else None,
        groups=tuple(groups(samples, scores.argmax(1), truth)),
        notes=tuple(_notes(samples, dropped_of(dataset, split))),
        corruptions=tuple(
            _corrupted(name, engine, samples, model.input_size, scores.argmax(1), progress)
            for name in CORRUPTIONS
            if corruptions
        ),
    )


def predict(
    engine: Engine,
    samples: Sequence[Sample],
    size: int,
    progress: Progress,
    corruption: str | None = None,
) -> ScoreBatch:
    """(N, 7) probabilities, a few faces at a time; with a fault of `CORRUPTIONS` or clean."""
    parts = []
    for start in range(0, len(samples), CHUNK):
        some = samples[start : start + CHUNK]
        faces = corrupted(some, size, corruption) if corruption else faces_of(some, size)
        parts.append(engine.infer(faces))
        progress(corruption or "faces", min(start + CHUNK, len(samples)), len(samples))
    return np.concatenate(parts)


def _corrupted(
    name: str,
    engine: Engine,
    samples: Sequence[Sample],
    size: int,
    clean: Classes,
    progress: Progress,
) -> Corrupted:
    truth = classes_of(samples)
    answers = predict(engine, samples, size, progress, name).argmax(1)
    return Corrupted(name, accuracy(answers, truth), paired_difference(answers, clean, truth))


def expressions(answers: Classes, truth: Classes) -> Iterator[Expression]:
    """Precision and recall of each of the seven; None where there is nothing to divide by."""
    for number, label in enumerate(LABELS):
        hits = int(((answers == number) & (truth == number)).sum())
        faces, said = int((truth == number).sum()), int((answers == number).sum())
        yield Expression(label, faces, said, _rate(hits, said), _rate(hits, faces))


def abstaining(scores: ScoreBatch, truth: Classes, threshold: float) -> Abstaining:
    """Coverage, and accuracy among the faces that get a label."""
    sure = scores.max(1) >= threshold
    hits = int((scores.argmax(1) == truth)[sure].sum())
    labelled = int(sure.sum())
    return Abstaining(threshold, wilson(labelled, len(truth)), _rate(hits, labelled))


def groups(samples: Sequence[Sample], answers: Classes, truth: Classes) -> Iterator[Group]:
    """Accuracy by each value of each attribute that any face has."""
    told = [dict(sample.attributes) for sample in samples]
    for name in sorted({name for known in told for name in known}):
        values = np.array([_value(name, known.get(name, UNTOLD)) for known in told])
        for value in sorted(set(values.tolist())):
            chosen = values == value
            rate = accuracy(answers[chosen], truth[chosen])
            balanced = balanced_accuracy(answers[chosen], truth[chosen])
            yield Group(name, value, int(chosen.sum()), rate, balanced)


def _value(name: str, text: str) -> str:
    """The value itself; the band of an age in years."""
    try:
        years = float(text) if name == "age" else math.nan
    except ValueError:
        return text
    return next((band for band, end in AGES if 0 <= years < end), text)


def _rate(hits: int, count: int) -> Interval | None:
    return wilson(hits, count) if count else None


def _open(path: Path, threads: int) -> tuple[Engine, Model, float]:
    """The engine, what is executed, and the threshold to abstain under."""
    if (path / MANIFEST).is_file():
        record, opened = MANIFEST, open_bundle_engine
    elif (path / RECORD).is_file():
        record, opened = RECORD, open_baseline
    else:
        raise NotFound(f"{path}: neither a checkpoint ({RECORD}) nor a bundle ({MANIFEST}) here")
    engine, facts = opened(path, threads)
    # Read again only once the folder was verified by whoever opened it.
    threshold = float(json.loads((path / record).read_text())["abstain_below"])
    return engine, Model(**facts), threshold


def _notes(samples: Sequence[Sample], dropped: dict[str, int]) -> Iterator[str]:
    yield "One fixed split: means over the folds of a cross-validation belong in another column."
    absent = missing_classes(samples)
    if absent:
        yield f"No faces of {', '.join(absent)}: means over expressions leave them out."
    if dropped:
        told = ", ".join(f"{count:,} {reason}" for reason, count in dropped.items())
        yield f"Left out by the reader: {told}."

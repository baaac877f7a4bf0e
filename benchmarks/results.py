"""From raw measurements to the report's figures, each bundle beside the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import FIRM, LEAST, answers, verdict
from benchmarks.latency import Times, cost, is_unsteady, speed
from benchmarks.machine import is_busy
from benchmarks.report import BASELINE, FaceFacts, Model, Result, Versus
from edge_fer import statistics
from edge_fer.types import ScoreBatch

Truth = NDArray[np.int64]


@dataclass(slots=True)
class Measured:
    """What came out of one subject so far."""

    name: str
    role: str
    failed: str | None = None
    model: Model | None = None
    load_ms: float = 0.0
    first_ms: float = 0.0
    peak_rss_bytes: int = 0
    times: Times | None = None
    scores: ScoreBatch | None = None


def results(measured: list[Measured], truth: Truth | None) -> tuple[Result, ...]:
    """One result for each subject; what is missing stays None."""
    baseline = next((m for m in measured if m.role == BASELINE and m.model), None)
    return tuple(_result(m, baseline, truth) for m in measured)


def _result(measured: Measured, baseline: Measured | None, truth: Truth | None) -> Result:
    scores, times = measured.scores, measured.times
    compared = baseline is not None and measured is not baseline and measured.model is not None
    return Result(
        name=measured.name,
        role=measured.role,
        failed=measured.failed,
        model=measured.model,
        cost=None
        if times is None
        else cost(measured.load_ms, measured.first_ms, measured.peak_rss_bytes, times),
        accuracy=None
        if scores is None or truth is None
        else statistics.summary(scores.astype(np.float64), truth),
        versus=_versus(measured, baseline, truth) if compared and baseline else None,
    )


def _versus(bundle: Measured, baseline: Measured, truth: Truth | None) -> Versus:
    assert bundle.model
    assert baseline.model
    ratios: dict[str, Any] = dict.fromkeys(("speed", "memory", "load"))
    if bundle.times is not None and baseline.times is not None:
        ratios = {
            "speed": speed(baseline.times, bundle.times),
            "memory": baseline.peak_rss_bytes / bundle.peak_rss_bytes,
            "load": baseline.load_ms / bundle.load_ms,
        }
    return Versus(
        is_parent=bundle.model.parent == baseline.model.sha256,
        size=baseline.model.size_bytes / bundle.model.size_bytes,
        **ratios,
        **_paired(bundle.scores, baseline.scores, truth),
    )


def _paired(
    scores: ScoreBatch | None, parent: ScoreBatch | None, truth: Truth | None
) -> dict[str, Any]:
    """Agreement needs faces; difference, p and verdict need their labels too."""
    unknown = dict.fromkeys(("agreement", "difference", "mcnemar_p", "verdict"))
    if scores is None or parent is None:
        return {**unknown, "provisional": False}
    mine, theirs = answers(scores), answers(parent)
    agreement = statistics.agreement(mine, theirs)
    if truth is None:
        return {**unknown, "agreement": agreement, "provisional": False}
    difference = statistics.paired_difference(mine, theirs, truth)
    said = verdict(difference, len(truth))
    return {
        "agreement": agreement,
        "difference": difference,
        "mcnemar_p": statistics.mcnemar(mine, theirs, truth),
        "verdict": said,
        "provisional": said is not None and len(truth) < FIRM,
    }


def notes(
    measured: list[Measured], faces: FaceFacts, machine: dict[str, Any], cores: int
) -> tuple[str, ...]:
    """What a reader must know before quoting a figure."""
    found = [note for m in measured for note in _subject_notes(m)]
    if not any(m.role == BASELINE for m in measured):
        found.append("No baseline was measured: there is nothing to compare with.")
    baseline = next((m.model for m in measured if m.role == BASELINE), None)
    found += [
        f"{m.name}: the baseline is not its parent; agreement and difference are those of two "
        "separate models."
        for m in measured
        if baseline and m.model and m.model.parent not in (None, baseline.sha256)
    ]
    return (*found, *_face_notes(faces), *_machine_notes(machine, cores))


def _subject_notes(measured: Measured) -> list[str]:
    found = []
    if measured.failed:
        named = measured.name in measured.failed
        found.append(f"Failed: {'' if named else measured.name + ': '}{measured.failed}")
    model = measured.model
    if model and model.precision_asked != model.precision_executed:
        found.append(
            f"{measured.name}: is {model.precision_asked}, but the runtime executed "
            f"{model.precision_executed}."
        )
    if measured.times is not None and is_unsteady(measured.times):
        found.append(f"{measured.name}: its latency was unsteady from round to round.")
    return found


def _face_notes(faces: FaceFacts) -> list[str]:
    if not faces.labelled:
        return ["No labelled faces were given: accuracy is not measured, agreement only."]
    if faces.count < LEAST:
        return [
            f"Only {faces.count} labelled faces: intervals are printed, the verdict is withheld."
        ]
    if faces.count < FIRM:
        return [f"Only {faces.count} labelled faces: verdicts are provisional under {FIRM}."]
    return []


def _machine_notes(machine: dict[str, Any], cores: int) -> list[str]:
    # Only what was there before: afterwards the load is the benchmark's own.
    load = machine["before"]["load"]
    if is_busy(load, machine["cores"] or cores):
        return [f"The machine was busy before it began (load {load:.1f}): times are too long."]
    return []

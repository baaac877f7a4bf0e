"""From raw measurements to the report's figures, each bundle beside the baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import paired
from benchmarks.accuracy import FIRM, answers, verdict
from benchmarks.latency import Turn, cost, energy, medians, speed
from benchmarks.records import BASELINE, Corrupted, Cost, Model, Rate, Result, Versus
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
    memory: tuple[int, int] = (0, 0)
    """Peak and steady resident size, in bytes."""
    turns: list[Turn] | None = None
    sensor: str = ""
    """Where the turns' joules come from."""
    rates: list[Rate] = field(default_factory=list)
    scores: ScoreBatch | None = None
    corrupted: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Fault to the best class of each face."""
    known_cost: Cost | None = None
    """Of a baseline that was measured elsewhere."""

    @property
    def cost(self) -> Cost | None:
        """What it paid here, or elsewhere; None where it was not timed."""
        if self.turns is None:
            return self.known_cost
        return cost(self.load_ms, self.first_ms, self.memory, self.turns)


def results(measured: list[Measured], truth: Truth | None) -> tuple[Result, ...]:
    """One result for each subject; what is missing stays None."""
    baseline = next((m for m in measured if m.role == BASELINE and m.model), None)
    return tuple(_result(m, baseline, truth) for m in measured)


def _result(measured: Measured, baseline: Measured | None, truth: Truth | None) -> Result:
    other = baseline if measured is not baseline and measured.model is not None else None
    return Result(
        name=measured.name,
        role=measured.role,
        failed=measured.failed,
        model=measured.model,
        cost=measured.cost,
        rates=tuple(measured.rates),
        energy=energy(measured.turns, measured.sensor) if measured.turns else None,
        corruptions=_corruptions(measured, other, truth),
        versus=_versus(measured, other, truth) if other else None,
        **_labels(measured.scores, truth),
    )


def _labels(scores: ScoreBatch | None, truth: Truth | None) -> dict[str, Any]:
    """What the scores say alone, and beside the truth."""
    if scores is None:
        return {}
    best = answers(scores)
    said = {"answers": "".join(map(str, best.tolist()))}
    if truth is None:
        return said
    exact = scores.astype(np.float64)
    return {
        **said,
        "right": "".join(map(str, (best == truth).astype(int).tolist())),
        "accuracy": statistics.summary(exact, truth),
        "reliability": tuple(statistics.reliability(exact, truth)),
    }


def _corruptions(
    measured: Measured, baseline: Measured | None, truth: Truth | None
) -> tuple[Corrupted, ...]:
    if truth is None:
        return ()
    beside = baseline.corrupted if baseline else {}
    return tuple(
        Corrupted(
            fault,
            len(truth),
            statistics.accuracy(best, truth),
            statistics.paired_difference(best, beside[fault], truth) if fault in beside else None,
        )
        for fault, best in measured.corrupted.items()
    )


def _versus(bundle: Measured, baseline: Measured, truth: Truth | None) -> Versus:
    assert bundle.model
    assert baseline.model
    return Versus(
        is_parent=bundle.model.parent == baseline.model.sha256,
        same_rounds=baseline.turns is not None,
        size=baseline.model.size_bytes / bundle.model.size_bytes,
        **_ratios(bundle, baseline),
        **_paired(bundle.scores, baseline.scores, truth),
    )


def _ratios(bundle: Measured, baseline: Measured) -> dict[str, Any]:
    """Speed against a baseline from elsewhere too; memory, load and energy only of one machine."""
    found: dict[str, Any] = dict.fromkeys(("speed", "memory", "load", "energy"))
    if bundle.turns is None:
        return found
    mine = medians(bundle.turns)
    if baseline.turns is None:
        if baseline.known_cost:
            found["speed"] = speed(np.array([baseline.known_cost.p50_ms]), mine)
        return found
    joules = [energy(m.turns, m.sensor) if m.turns else None for m in (baseline, bundle)]
    spent = [e.joules_per_face for e in joules if e]
    return {
        "speed": speed(medians(baseline.turns), mine),
        "memory": baseline.memory[0] / bundle.memory[0],
        "load": baseline.load_ms / bundle.load_ms,
        "energy": spent[0] / spent[1] if len(spent) == 2 else None,
    }


def _paired(
    scores: ScoreBatch | None, parent: ScoreBatch | None, truth: Truth | None
) -> dict[str, Any]:
    """Agreement needs faces; differences, p and verdict need their labels too."""
    unknown: dict[str, Any] = dict.fromkeys(
        ("agreement", "difference", "bootstrap", "f1_difference", "mcnemar_p", "verdict")
    )
    unknown |= {"per_class": {}, "provisional": False}
    if scores is None or parent is None:
        return unknown
    mine, theirs = answers(scores), answers(parent)
    agreement = statistics.agreement(mine, theirs)
    if truth is None:
        return {**unknown, "agreement": agreement}
    difference = statistics.paired_difference(mine, theirs, truth)
    said = verdict(difference, len(truth))
    return {
        "agreement": agreement,
        "difference": difference,
        "bootstrap": paired.bootstrap(mine, theirs, truth),
        "f1_difference": paired.f1_difference(mine, theirs, truth),
        "per_class": paired.per_class(mine, theirs, truth),
        "mcnemar_p": statistics.mcnemar(mine, theirs, truth),
        "verdict": said,
        "provisional": said is not None and len(truth) < FIRM,
    }

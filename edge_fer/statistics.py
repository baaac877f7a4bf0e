"""The figures of reports and gates: rates with intervals, and paired comparisons.

Truth and answers are (N,) class numbers in `Emotion` order, scores are (N, 7) probabilities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_fer.emotions import LABELS
from edge_fer.errors import NotFinite

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""
CALIBRATION_BINS = 15
"""As in Guo et al., ICML 2017."""

Classes = NDArray[np.integer[Any]]
Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, count: int) -> Interval:
    """A rate with its Wilson score interval (Wilson, JASA 1927)."""
    if count == 0:
        raise ValueError("a rate over no faces")
    rate = hits / count
    spread = Z95**2 / count
    centre = (rate + spread / 2) / (1 + spread)
    half = Z95 * math.sqrt(rate * (1 - rate) / count + spread / (4 * count)) / (1 + spread)
    return Interval(rate, max(0.0, centre - half), min(1.0, centre + half))


def accuracy(answers: Classes, truth: Classes) -> Interval:
    """Share of right answers."""
    return wilson(int((answers == truth).sum()), len(truth))


def agreement(answers: Classes, others: Classes) -> Interval:
    """Share of faces on which two models give the same label."""
    return wilson(int((answers == others).sum()), len(answers))


def paired_difference(answers: Classes, parent: Classes, truth: Classes) -> Interval:
    """Accuracy of `answers` minus that of `parent` on the same faces.

    The interval is the adjusted Wald one for paired proportions (Agresti and Min, Stat. Med.
    2005): half a face is added to each cell of the 2x2 table.
    """
    right, parent_right = answers == truth, parent == truth
    won = int((right & ~parent_right).sum())
    lost = int((~right & parent_right).sum())
    count = len(truth)
    gained, dropped, total = won + 0.5, lost + 0.5, count + 2
    shift = (gained - dropped) / total
    half = Z95 * math.sqrt((gained + dropped) / total - shift**2) / math.sqrt(total)
    return Interval((won - lost) / count, shift - half, shift + half)


def mcnemar(answers: Classes, parent: Classes, truth: Classes) -> float:
    """Two-sided exact p-value that both are right equally often (McNemar, 1947)."""
    right, parent_right = answers == truth, parent == truth
    won = int((right & ~parent_right).sum())
    changed = won + int((~right & parent_right).sum())
    if changed == 0:
        return 1.0
    fewer = min(won, changed - won)
    # Whole numbers: 2**changed is beyond a float for more than 1023 changed answers.
    tail = sum(math.comb(changed, k) for k in range(fewer + 1))
    return min(1.0, float(Fraction(2 * tail, 2**changed)))


def paired_bootstrap(
    answers: Classes, parent: Classes, truth: Classes, rounds: int = 10_000, seed: int = 0
) -> Interval:
    """Accuracy of `answers` minus that of `parent`, with the percentile bootstrap over faces.

    A face can only be won, lost or neither, so drawing faces anew is one multinomial draw of the
    three counts (Efron and Tibshirani, 1993, ch. 13). Raises ValueError over no faces.
    """
    count = len(truth)
    if count == 0:
        raise ValueError("a difference over no faces")
    right, parent_right = answers == truth, parent == truth
    won, lost = int((right & ~parent_right).sum()), int((~right & parent_right).sum())
    shares = np.array([won, lost, count - won - lost]) / count
    drawn = np.random.default_rng(seed).multinomial(count, shares, size=rounds)
    low, high = np.percentile((drawn[:, 0] - drawn[:, 1]) / count, (2.5, 97.5))
    return Interval((won - lost) / count, float(low), float(high))


def confusion(answers: Classes, truth: Classes) -> NDArray[np.int64]:
    """(7, 7) counts: row the truth, column the answer."""
    table = np.zeros((len(LABELS), len(LABELS)), np.int64)
    np.add.at(table, (truth, answers), 1)
    return table


def balanced_accuracy(answers: Classes, truth: Classes) -> float:
    """Mean recall over the classes that occur in truth."""
    table = confusion(answers, truth)
    totals = table.sum(1)
    return float((table.diagonal()[totals > 0] / totals[totals > 0]).mean())


def macro_f1(answers: Classes, truth: Classes) -> float:
    """Mean F1 over the classes that occur in truth or answers."""
    table = confusion(answers, truth)
    hits, totals = table.diagonal(), table.sum(0) + table.sum(1)
    present = totals > 0
    return float((2 * hits[present] / totals[present]).mean())


@dataclass(frozen=True, slots=True)
class Bin:
    """Faces whose best probability lies between two bounds."""

    low: float
    high: float
    faces: int
    confidence: float
    """Mean best probability."""
    accuracy: float
    """Share of right answers."""


def reliability(scores: Scores, truth: Classes) -> list[Bin]:
    """The reliability diagram: 15 equal bins of the best probability, without the empty ones.

    Raises NotFinite for scores that are no numbers.
    """
    _require_finite(scores)
    best, right = scores.max(1), scores.argmax(1) == truth
    bins = np.minimum((best * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return [
        Bin(
            b / CALIBRATION_BINS,
            (b + 1) / CALIBRATION_BINS,
            int((bins == b).sum()),
            float(best[bins == b].mean()),
            float(right[bins == b].mean()),
        )
        for b in range(CALIBRATION_BINS)
        if (bins == b).any()
    ]


def calibration_error(scores: Scores, truth: Classes) -> float:
    """Expected calibration error: how far confidence is from accuracy, over the bins above."""
    gaps = (
        abs(b.confidence - b.accuracy) * b.faces / len(truth) for b in reliability(scores, truth)
    )
    return float(sum(gaps))


def summary(scores: Scores, truth: Classes) -> dict[str, Any]:
    """The usual figures of one model on one set, ready for JSON.

    Raises NotFinite for scores that are no numbers.
    """
    _require_finite(scores)
    answers = scores.argmax(1)
    rate = accuracy(answers, truth)
    table = confusion(answers, truth)
    return {
        "faces": len(truth),
        "accuracy": rate.value,
        "accuracy_95": [rate.low, rate.high],
        "balanced_accuracy": balanced_accuracy(answers, truth),
        "macro_f1": macro_f1(answers, truth),
        "calibration_error": calibration_error(scores, truth),
        "recall": _shares(table.diagonal(), table.sum(1)),
        "precision": _shares(table.diagonal(), table.sum(0)),
        "confusion": table.tolist(),
    }


def _require_finite(scores: Scores) -> None:
    # NaN falls into no bin and is the largest of its row: it would pass for a certain answer.
    broken = int((~np.isfinite(scores)).any(axis=1).sum())
    if broken:
        raise NotFinite(f"the scores of {broken:,} of {len(scores):,} faces are no numbers")


def _shares(hits: Classes, totals: Classes) -> dict[str, float]:
    """Label to share, without the labels that never occur."""
    return {
        label: float(hit / total)
        for label, hit, total in zip(LABELS, hits, totals, strict=True)
        if total
    }

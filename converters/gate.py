"""INT8 is proven or refused: the child against its float parent, on the same faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_fer import statistics
from edge_fer.emotions import LABELS
from edge_fer.protocols import Engine
from edge_fer.statistics import Interval
from edge_fer.types import FaceBatch, ScoreBatch

LEAST_AGREEMENT = 0.93
"""Share of faces on which child and parent must give the same label."""
ENOUGH_FACES = 1000
"""Labelled faces below which a verdict is provisional."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found."""

    passed: bool
    reasons: tuple[str, ...]
    """Why not; empty when passed."""
    provisional: bool
    faces: int
    data: dict[str, Any]
    """Which faces they were."""
    agreement: Interval
    parent_accuracy: Interval | None
    """None: not measured, the faces have no labels."""
    child_accuracy: Interval | None
    difference: Interval | None
    """Child minus parent, on the same faces."""

    @property
    def word(self) -> str:
        """`passed`, `provisional` or `refused`."""
        if not self.passed:
            return "refused"
        return "provisional" if self.provisional else "passed"

    def to_json(self) -> dict[str, Any]:
        """For the manifest: accuracies are figures or the words "not measured"."""
        record = {k: v for k, v in asdict(self).items() if k not in ("passed", "reasons")}
        unmeasured = {
            k: "not measured"
            for k in ("parent_accuracy", "child_accuracy", "difference")
            if record[k] is None
        }
        accuracy = record["child_accuracy"] or "not measured"
        return {"verdict": self.word, **record, **unmeasured, "accuracy": accuracy}

    def lines(self) -> list[str]:
        """For a person, a line a figure."""
        said = [f"agreement with the parent {_percent(self.agreement)} on {self.faces} faces"]
        if self.difference and self.parent_accuracy and self.child_accuracy:
            said += [
                f"accuracy {_percent(self.child_accuracy)}",
                f"its parent's {_percent(self.parent_accuracy)}",
                f"paired difference {_points(self.difference)}",
            ]
        else:
            said.append("accuracy not measured (no labelled faces: give --data)")
        return said


def judge(
    child: ScoreBatch,
    parent: ScoreBatch,
    truth: NDArray[np.integer] | None,
    data: dict[str, Any],
    max_drop: float,
) -> Verdict:
    """Compare (N, 7) scores of child and parent; `max_drop` is a share, 0.01 for one point."""
    answers, wanted = child.argmax(1), parent.argmax(1)
    agreement = statistics.agreement(answers, wanted)
    difference = None if truth is None else statistics.paired_difference(answers, wanted, truth)
    reasons = list(_objections(answers, wanted, agreement, difference, max_drop))
    return Verdict(
        passed=not reasons,
        reasons=tuple(reasons),
        provisional=truth is None or len(truth) < ENOUGH_FACES,
        faces=len(answers),
        data=data,
        agreement=agreement,
        parent_accuracy=None if truth is None else statistics.accuracy(wanted, truth),
        child_accuracy=None if truth is None else statistics.accuracy(answers, truth),
        difference=difference,
    )


def infer_all(
    engine: Engine, faces: FaceBatch, progress: Callable[[int, int], None], step: int = 32
) -> ScoreBatch:
    """(N, 7) scores by the code that the device runs."""
    parts = []
    for start in range(0, len(faces), step):
        parts.append(engine.infer(faces[start : start + step]))
        progress(min(start + step, len(faces)), len(faces))
    return np.concatenate(parts)


def _objections(
    answers: NDArray[np.integer],
    wanted: NDArray[np.integer],
    agreement: Interval,
    difference: Interval | None,
    max_drop: float,
) -> list[str]:
    said = []
    only = np.unique(answers)
    if len(only) == 1 and len(np.unique(wanted)) > 1:
        said.append(f"it always answers {LABELS[int(only[0])]}")
    if agreement.value < LEAST_AGREEMENT:
        said.append(f"agreement {agreement.value:.1%} is under {LEAST_AGREEMENT:.0%}")
    if difference is not None and -difference.value > max_drop:
        said.append(
            f"accuracy drops by {-100 * difference.value:.2f} points, "
            f"--max-drop allows {100 * max_drop:.2f}"
        )
    return said


def _percent(interval: Interval) -> str:
    return f"{interval.value:.2%} [{interval.low:.2%}, {interval.high:.2%}]"


def _points(interval: Interval) -> str:
    value, low, high = (100 * x for x in (interval.value, interval.low, interval.high))
    return f"{value:+.2f} points [{low:+.2f}, {high:+.2f}]"

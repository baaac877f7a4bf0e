"""INT8 is proven or refused: the child against its float parent, on the same faces.

Both see the same faces, so the test is paired: McNemar's exact one, and an interval of the
difference by the paired bootstrap, over all faces and for each class, so that no single
expression is lost behind a good average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from edge_fer import statistics
from edge_fer.emotions import LABELS
from edge_fer.protocols import Engine
from edge_fer.statistics import Classes, Interval
from edge_fer.types import FaceBatch, ScoreBatch

LEAST_AGREEMENT = 0.93
"""Share of faces on which child and parent must give the same label."""
ENOUGH_FACES = 1000
"""Labelled faces below which a verdict is provisional."""
CLASS_DROP = 0.03
"""A class may not be proven to lose more than this: its whole 95 % interval would lie below."""
ENOUGH_OF_CLASS = 200
"""Faces of a class below which its loss is reported, not judged."""


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """Recall of one class, child minus parent."""

    faces: int
    judged: bool
    """Whether there are enough faces to refuse by."""
    difference: Interval
    """With the paired bootstrap's interval."""

    @property
    def lost(self) -> bool:
        """Proven to lose more than is allowed."""
        return self.judged and self.difference.high < -CLASS_DROP


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
    bootstrap: Interval | None = None
    """The same difference with the paired bootstrap's interval."""
    mcnemar: float | None = None
    """Two-sided exact p-value that both are right equally often."""
    classes: Mapping[str, ClassDifference] = field(default_factory=dict)
    """Label to its difference; empty without labels."""

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
            for k in ("parent_accuracy", "child_accuracy", "difference", "bootstrap", "mcnemar")
            if record[k] is None
        }
        accuracy = record["child_accuracy"] or "not measured"
        return {"verdict": self.word, **record, **unmeasured, "accuracy": accuracy}

    def _worst(self) -> str:
        """The class that lost most."""
        label, found = min(self.classes.items(), key=lambda item: item[1].difference.value)
        few = "" if found.judged else f", {found.faces} faces: not judged"
        return f"worst {label} {_points(found.difference)}{few}"

    def _guessing(self, parent: Interval) -> list[str]:
        """A line where the parent does not beat naming the commonest class always."""
        if len(self.classes) == 1:
            return []
        label, found = max(self.classes.items(), key=lambda item: item[1].faces)
        if parent.high > found.faces / self.faces:
            return []
        return [
            f"WARNING: the parent is no better than always naming {label}: train it again, or see "
            "whether --labels, --colour and --scale of a model of your own are right"
        ]

    def lines(self) -> list[str]:
        """For a person, a line a figure."""
        said = [f"agreement with the parent {_percent(self.agreement)} on {self.faces} faces"]
        if self.difference and self.parent_accuracy and self.child_accuracy:
            said += [
                f"accuracy {_percent(self.child_accuracy)}",
                f"its parent's {_percent(self.parent_accuracy)}",
                f"paired difference {_points(self.difference)}, McNemar p = {self.mcnemar:.2f}",
                f"by class {self._worst()}",
            ]
            said += self._guessing(self.parent_accuracy)
        else:
            said.append("accuracy not measured (no labelled faces: give --data)")
        return said


def judge(
    child: ScoreBatch,
    parent: ScoreBatch,
    truth: Classes | None,
    data: dict[str, Any],
    max_drop: float,
) -> Verdict:
    """Compare (N, 7) scores of child and parent; `max_drop` is a share, 0.01 for one point."""
    answers, wanted = child.argmax(1), parent.argmax(1)
    agreement = statistics.agreement(answers, wanted)
    verdict = Verdict(
        passed=True,
        reasons=(),
        provisional=truth is None or len(truth) < ENOUGH_FACES,
        faces=len(answers),
        data=data,
        agreement=agreement,
        parent_accuracy=None,
        child_accuracy=None,
        difference=None,
    )
    if truth is not None:
        verdict = replace(verdict, **_paired(answers, wanted, truth))
    several = truth is None or len(np.unique(truth)) > 1
    reasons = tuple(_objections(answers, several, verdict, max_drop))
    return replace(verdict, passed=not reasons, reasons=reasons)


def _paired(answers: Classes, wanted: Classes, truth: Classes) -> dict[str, Any]:
    """The fields of a verdict that need labels."""
    return {
        "parent_accuracy": statistics.accuracy(wanted, truth),
        "child_accuracy": statistics.accuracy(answers, truth),
        "difference": statistics.paired_difference(answers, wanted, truth),
        "bootstrap": statistics.paired_bootstrap(answers, wanted, truth),
        "mcnemar": statistics.mcnemar(answers, wanted, truth),
        "classes": {
            label: _of_class(answers[truth == number], wanted[truth == number], number)
            for number, label in enumerate(LABELS)
            if (truth == number).any()
        },
    }


def _of_class(answers: Classes, wanted: Classes, number: int) -> ClassDifference:
    truth = np.full(len(answers), number)
    difference = statistics.paired_bootstrap(answers, wanted, truth)
    return ClassDifference(len(truth), len(truth) >= ENOUGH_OF_CLASS, difference)


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
    answers: Classes, several: bool, verdict: Verdict, max_drop: float
) -> Iterator[str]:
    only = np.unique(answers)
    if len(only) == 1 and several:
        yield f"it always answers {LABELS[int(only[0])]}"
    if verdict.agreement.value < LEAST_AGREEMENT:
        yield f"agreement {verdict.agreement.value:.1%} is under {LEAST_AGREEMENT:.0%}"
    if verdict.difference is not None and -verdict.difference.value > max_drop:
        yield (
            f"accuracy drops by {-100 * verdict.difference.value:.2f} points, "
            f"--max-drop allows {100 * max_drop:.2f}"
        )
    for label, found in verdict.classes.items():
        if found.lost:
            yield f"{label} loses {_points(found.difference)}, {100 * CLASS_DROP:.0f} are allowed"


def _percent(interval: Interval) -> str:
    return f"{interval.value:.2%} [{interval.low:.2%}, {interval.high:.2%}]"


def _points(interval: Interval) -> str:
    value, low, high = (100 * x for x in (interval.value, interval.low, interval.high))
    return f"{value:+.2f} points [{low:+.2f}, {high:+.2f}]"

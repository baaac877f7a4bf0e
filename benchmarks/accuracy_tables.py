"""Tables of what the models answered."""

from __future__ import annotations

from typing import Any

from benchmarks.cells import MISSING, NONE, Cell, Table, interval, maybe, named
from benchmarks.records import BASELINE, Corrupted, Result
from benchmarks.report import Report
from benchmarks.words import p_value, percent, percent_range, points, points_range, signed
from edge_fer.emotions import LABELS
from edge_fer.statistics import Interval


def accuracy(report: Report) -> Table:
    """Absolute figures and the paired tests."""
    caption = (
        "On the same faces. Intervals are 95 %: Wilson's for rates, Agresti and Min's for the "
        "paired difference, and beside it and for F1 those of a paired bootstrap of 2,000 draws; "
        "p is McNemar's exact test against the baseline."
    )
    header = (
        "Model", "Accuracy", "Macro-F1", "Calibration error", "Difference", "Bootstrap",
        "F1 difference", "p",
    )  # fmt: skip
    rows = tuple((named(r), *_accuracy_cells(r)) for r in report.results)
    return Table("Accuracy", caption, header, rows)


def _accuracy_cells(result: Result) -> tuple[Cell, ...]:
    found, versus = result.accuracy, result.versus
    if found is None:
        return (MISSING,) * 7
    f1, error = found["macro_f1"], found["calibration_error"]
    own = (rate(result), Cell(f"{f1:.3f}"), Cell(f"{error:.3f}"))
    if result.role == BASELINE:
        return (*own, Cell("", "reference"), NONE, NONE, NONE)
    if versus is None:
        return (*own, *(MISSING,) * 4)
    return (
        *own,
        interval(versus.difference, points, points_range),
        interval(versus.bootstrap, points, points_range),
        interval(versus.f1_difference, signed, points_range),
        maybe(versus.mcnemar_p, p_value),
    )


def recall(report: Report) -> Table:
    """Share of each expression's faces that were recognised, and its change."""
    counts = report.faces.per_class
    header = tuple(f"{label} ({counts[label]})" if label in counts else label for label in LABELS)
    rows = tuple(
        (named(r), *(_recall_cell(r, r.accuracy, label) for label in LABELS))
        for r in report.results
    )
    caption = (
        "By expression, with its number of faces; below it the change against the baseline in "
        "points, with its paired 95 % interval."
    )
    return Table("Recall", caption, ("Model", *header), rows)


def _recall_cell(result: Result, found: dict[str, Any] | None, label: str) -> Cell:
    if found is None or label not in found["recall"]:
        return MISSING
    change = result.versus.per_class.get(label) if result.versus else None
    detail = f"{signed(change.value)} ({points_range(change)})" if change else ""
    return Cell(percent(found["recall"][label]), detail)


def corruptions(report: Report) -> Table | None:
    """Accuracy under every fault; None where none was measured."""
    names = list(dict.fromkeys(c.fault for r in report.results for c in r.corruptions))
    if not names:
        return None
    rows = tuple(
        (named(r), rate(r), *(_fault_cell(r, name) for name in names)) for r in report.results
    )
    caption = (
        "The same faces with one fault at one strength each; below it the paired difference to "
        "the baseline under the same fault, in points, with its 95 % interval."
    )
    return Table("Accuracy under faults", caption, ("Model", "clean", *names), rows)


def _fault_cell(result: Result, fault: str) -> Cell:
    found: Corrupted | None = next((c for c in result.corruptions if c.fault == fault), None)
    if found is None:
        return MISSING
    if found.difference is None:
        return Cell(percent(found.accuracy.value), percent_range(found.accuracy))
    change = f"{signed(found.difference.value)} ({points_range(found.difference)})"
    return Cell(percent(found.accuracy.value), change)


def rate(result: Result) -> Cell:
    """Accuracy with its interval."""
    if result.accuracy is None:
        return MISSING
    low, high = result.accuracy["accuracy_95"]
    return interval(Interval(result.accuracy["accuracy"], low, high), percent, percent_range)

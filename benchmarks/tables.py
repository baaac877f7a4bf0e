"""The report as tables of plain text, for Markdown and for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import facts
from benchmarks.accuracy import LEAST, UNDECIDED, WITHIN, WORSE
from benchmarks.cells import MISSING, Cell, Table
from benchmarks.report import BASELINE, Cost, Model, Report, Result, Versus
from benchmarks.words import (
    TIMES,
    megabytes,
    number,
    p_value,
    percent,
    percent_range,
    points,
    points_range,
    times,
)
from edge_fer.emotions import LABELS
from edge_fer.statistics import Interval

TONES = {WITHIN: "good", WORSE: "bad", UNDECIDED: "unsure"}


def tables(report: Report) -> dict[str, Table]:
    """All tables by name, in the order of reading."""
    return {
        "summary": summary(report),
        "latency": latency(report),
        "accuracy": accuracy(report),
        "recall": recall(report),
        "executed": executed(report),
        "faces": facts.faces(report),
        "machine": facts.machine(report),
    }


def summary(report: Report) -> Table:
    """The headline: ratios to the baseline, and whether accuracy was kept."""
    base = report.baseline
    caption = f"Ratios to the full-precision baseline: above 1{TIMES} is better than it."
    if base and base.model:
        caption += f" The baseline ran on {base.model.device}."
    header = ("Model", "Speed", "Size", "Peak memory", "Agreement", "Accuracy", "Verdict")
    return Table("Summary", caption, header, tuple(_summary_row(r, report) for r in report.results))


def _summary_row(result: Result, report: Report) -> tuple[Cell, ...]:
    name, versus = _name(result), result.versus
    if result.role == BASELINE:
        one = Cell(f"1{TIMES}", "reference")
        return (name, one, one, one, Cell("", "reference"), _accuracy(result), Cell(""))
    if versus is None:
        verdict = Cell("failed", tone="bad") if result.failed else MISSING
        return (name, MISSING, MISSING, MISSING, MISSING, _accuracy(result), verdict)
    return (
        name,
        _speed(versus.speed),
        Cell(times(versus.size)),
        _maybe(versus.memory, times),
        _interval(versus.agreement, percent, percent_range),
        _interval(versus.difference, points, points_range),
        Cell("failed", tone="bad") if result.failed else _verdict(versus, report),
    )


def _speed(speed: Interval | None) -> Cell:
    if speed is None:
        return MISSING
    return Cell(times(speed.value), f"{times(speed.low)} to {times(speed.high)}")


def _verdict(versus: Versus, report: Report) -> Cell:
    if versus.difference is None:
        return MISSING
    if versus.verdict is None:
        return Cell("withheld", f"{report.faces.count} faces, {LEAST} are needed", "unsure")
    detail = "provisional" if versus.provisional else ""
    if not versus.is_parent:
        detail = f"{detail}, not its parent".lstrip(", ")
    return Cell(versus.verdict, detail, TONES[versus.verdict])


def latency(report: Report) -> Table:
    """Absolute times and memory."""
    plan = report.settings
    caption = (
        f"Milliseconds for one face, from its bytes to seven scores. {plan.rounds} rounds of "
        f"{plan.queries} inferences, all models in each round, in an order drawn anew."
    )
    header = ("Model", "p50", "p90", "p99", "Mean", "First", "Load", "Peak memory", "Timed")
    rows = tuple((_name(r), *_cost_cells(r.cost)) for r in report.results)
    return Table("Latency and memory", caption, header, rows)


def _cost_cells(cost: Cost | None) -> tuple[Cell, ...]:
    if cost is None:
        return (MISSING,) * 8
    spent = (cost.p50_ms, cost.p90_ms, cost.p99_ms)
    return (
        *(Cell(number(ms)) for ms in spent),
        Cell(number(cost.mean_ms), f"± {number(cost.deviation_ms)}"),
        Cell(number(cost.first_ms)),
        Cell(number(cost.load_ms)),
        Cell(megabytes(cost.peak_rss_bytes)),
        Cell(str(cost.count)),
    )


def accuracy(report: Report) -> Table:
    """Absolute figures and the paired test."""
    caption = (
        "On the same faces. Intervals are 95 %: Wilson's for rates, Agresti and Min's for the "
        "paired difference; p is McNemar's exact test against the baseline."
    )
    header = ("Model", "Accuracy", "Macro-F1", "Calibration error", "Difference", "p")
    rows = tuple((_name(r), *_accuracy_cells(r)) for r in report.results)
    return Table("Accuracy", caption, header, rows)


def _accuracy_cells(result: Result) -> tuple[Cell, ...]:
    found, versus = result.accuracy, result.versus
    if found is None:
        return (MISSING,) * 5
    f1, error = found["macro_f1"], found["calibration_error"]
    own = (_accuracy(result), Cell(f"{f1:.3f}"), Cell(f"{error:.3f}"))
    if result.role == BASELINE:
        return (*own, Cell("", "reference"), Cell(""))
    if versus is None:
        return (*own, MISSING, MISSING)
    difference = _interval(versus.difference, points, points_range)
    return (*own, difference, _maybe(versus.mcnemar_p, p_value))


def recall(report: Report) -> Table:
    """Share of each expression's faces that were recognised."""
    counts = report.faces.per_class
    header = tuple(f"{label} ({counts[label]})" if label in counts else label for label in LABELS)
    rows = tuple(
        (_name(r), *(_recall_cell(r.accuracy, label) for label in LABELS)) for r in report.results
    )
    return Table("Recall", "By expression, with its number of faces.", ("Model", *header), rows)


def _recall_cell(found: dict[str, Any] | None, label: str) -> Cell:
    if found is None or label not in found["recall"]:
        return MISSING
    return Cell(percent(found["recall"][label]))


def executed(report: Report) -> Table:
    """What really ran."""
    header = (
        "Model", "Format", "Asked", "Executed", "Runtime", "Device", "Threads", "Input", "Size",
        "SHA-256", "Parent",
    )  # fmt: skip
    rows = tuple((_name(r), *_model_cells(r.model)) for r in report.results)
    return Table("What was executed", "Threads and cores were the same for all.", header, rows)


def _model_cells(model: Model | None) -> tuple[Cell, ...]:
    if model is None:
        return (MISSING,) * 10
    same = model.precision_asked == model.precision_executed
    return (
        Cell(model.format),
        Cell(model.precision_asked),
        Cell(model.precision_executed, tone="" if same else "bad"),
        Cell(model.runtime),
        Cell(model.device),
        Cell(str(model.threads)),
        Cell(f"{model.input_size} px"),
        Cell(megabytes(model.size_bytes)),
        Cell(model.sha256[:12]),
        Cell((model.parent or "")[:12]),
    )


def _name(result: Result) -> Cell:
    if result.role == BASELINE:
        return Cell(result.name, "baseline")
    model = result.model
    detail = f"{model.format} {model.precision_executed}" if model else "failed"
    return Cell(result.name, detail)


def _accuracy(result: Result) -> Cell:
    if result.accuracy is None:
        return MISSING
    low, high = result.accuracy["accuracy_95"]
    rate = Interval(result.accuracy["accuracy"], low, high)
    return _interval(rate, percent, percent_range)


def _interval(
    interval: Interval | None, say: Callable[[float], str], bounds: Callable[[Interval], str]
) -> Cell:
    return MISSING if interval is None else Cell(say(interval.value), bounds(interval))


def _maybe(value: float | None, say: Callable[[float], str]) -> Cell:
    return MISSING if value is None else Cell(say(value))

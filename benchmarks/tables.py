"""The report as tables of plain text, for Markdown and for the page."""

from __future__ import annotations

from benchmarks import accuracy_tables, cost_tables, facts
from benchmarks.accuracy import LEAST, UNDECIDED, WITHIN, WORSE
from benchmarks.cells import MISSING, NONE, Cell, Table, interval, maybe, named
from benchmarks.records import BASELINE, Model, Result, Versus
from benchmarks.report import Report
from benchmarks.words import TIMES, megabytes, percent, percent_range, points, points_range, times
from edge_fer.statistics import Interval

TONES = {WITHIN: "good", WORSE: "bad", UNDECIDED: "unsure"}


def tables(report: Report) -> dict[str, Table]:
    """All tables by name, in the order of reading; one with nothing to say is left out."""
    found = {
        "summary": summary(report),
        "latency": cost_tables.latency(report),
        "rates": cost_tables.rates(report),
        "accuracy": accuracy_tables.accuracy(report),
        "recall": accuracy_tables.recall(report),
        "corruptions": accuracy_tables.corruptions(report),
        "executed": executed(report),
        "faces": facts.faces(report),
        "machine": facts.machine(report),
    }
    return {name: table for name, table in found.items() if table}


def summary(report: Report) -> Table:
    """The headline: ratios to the baseline, and whether accuracy was kept."""
    base = report.baseline
    caption = f"Ratios to the full-precision baseline: above 1{TIMES} is better than it."
    if base and base.model:
        where = f", {report.baseline_machine}" if report.baseline_machine else ""
        caption += f" The baseline ran on {base.model.device}{where}."
    header = ("Model", "Verdict", "Speed", "Accuracy", "Agreement", "Size", "Peak memory", "Energy")
    return Table("Summary", caption, header, tuple(_row(r, report) for r in report.results))


def _row(result: Result, report: Report) -> tuple[Cell, ...]:
    name, versus = named(result), result.versus
    own = accuracy_tables.rate(result)
    if result.role == BASELINE:
        one = Cell(f"1{TIMES}", "reference")
        spent = one if result.energy else MISSING
        return (name, NONE, one, own, Cell("", "reference"), one, one, spent)
    if versus is None:
        verdict = Cell("failed", tone="bad") if result.failed else MISSING
        return (name, verdict, MISSING, own, *(MISSING,) * 4)
    return (
        name,
        Cell("failed", tone="bad") if result.failed else _verdict(versus, report),
        _speed(versus, report),
        interval(versus.difference, points, points_range),
        interval(versus.agreement, percent, percent_range),
        Cell(times(versus.size)),
        maybe(versus.memory, times),
        maybe(versus.energy, times),
    )


def _speed(versus: Versus, report: Report) -> Cell:
    speed: Interval | None = versus.speed
    if speed is None:
        return MISSING
    spread = f"{times(speed.low)} to {times(speed.high)}"
    detail = spread if versus.same_rounds else f"{spread}, two machines"
    return Cell(times(speed.value), detail, "unsure" if report.invalid else "")


def _verdict(versus: Versus, report: Report) -> Cell:
    if versus.difference is None:
        return MISSING
    if versus.verdict is None:
        return Cell("withheld", f"{report.faces.count} faces, {LEAST} are needed", "unsure")
    detail = "provisional" if versus.provisional else ""
    if not versus.is_parent:
        detail = f"{detail}, not its parent".lstrip(", ")
    return Cell(versus.verdict, detail, TONES[versus.verdict])


def executed(report: Report) -> Table:
    """What really ran."""
    header = (
        "Model", "Format", "Asked", "Executed", "INT8 work", "Runtime", "Device", "Threads",
        "Input", "Size", "SHA-256", "Parent",
    )  # fmt: skip
    caption = "Threads and cores were the same for all that were measured here."
    rows = tuple((named(r), *_model_cells(r.model)) for r in report.results)
    return Table("What was executed", caption, header, rows)


def _model_cells(model: Model | None) -> tuple[Cell, ...]:
    if model is None:
        return (MISSING,) * 11
    same = model.precision_asked == model.precision_executed
    share = model.int8_share
    return (
        Cell(model.format),
        Cell(model.precision_asked),
        Cell(model.precision_executed, tone="" if same else "bad"),
        Cell("not known", tone="none") if share is None else Cell(percent(share)),
        Cell(model.runtime),
        Cell(model.device),
        Cell(str(model.threads)),
        Cell(f"{model.input_size} px"),
        Cell(megabytes(model.size_bytes)),
        Cell(model.sha256[:12]),
        Cell((model.parent or "")[:12]),
    )

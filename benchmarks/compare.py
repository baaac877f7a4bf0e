"""What changed between two runs of `edge-fer bench`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cells import MISSING, Cell, Table
from benchmarks.markdown import aligned
from benchmarks.records import Result
from benchmarks.report import Report
from benchmarks.rules import POINTS, RATIOS, TIMED, Rule, rules_of
from benchmarks.words import points, points_range, signed, times
from edge_fer.errors import BadData, ConfigError, NotFound
from edge_fer.statistics import Interval, agreement, paired_difference

Figures = dict[str, float | None]
"""A rule's word to its figure: shares for points, else later over earlier. None: not measured."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the command prints, and the rules that were broken."""

    lines: tuple[str, ...]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """One model in both runs."""

    name: str
    figures: Figures
    difference: Interval | None
    """Accuracy of the later run minus that of the earlier; paired where both saw the same faces."""


def compare(before: Path, after: Path, fail_on: str | None = None) -> Comparison:
    """Pair the models of two reports by name; raises NotFound, BadData or ConfigError."""
    rules = rules_of(fail_on)
    old, new = read(before), read(after)
    here = {result.name: result for result in new.results}
    pairs = [_pair(r, here[r.name], old, new) for r in old.results if r.name in here]
    if not pairs:
        raise ConfigError(f"{before} and {after}: no model has the same name in both")
    gone = [r.name for r in old.results if r.name not in here]
    broken = (*_broken(pairs, rules), *_unsaid(gone, (old, new), rules))
    lines = [*aligned(_table(pairs)), "", *_notes(old, new), *broken]
    return Comparison(tuple(lines), broken)


def read(path: Path) -> Report:
    """A report.json, or the folder that holds one; raises NotFound or BadData."""
    file = path / "report.json" if path.is_dir() else path
    try:
        return Report.from_json(file.read_text(), str(file))
    except FileNotFoundError as error:
        raise NotFound(f"{file}: no report here; make one with `edge-fer bench`") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{file}: not a report; make one with `edge-fer bench`") from error


def _pair(old: Result, new: Result, before: Report, after: Report) -> Pair:
    same = before.faces.sha256 == after.faces.sha256
    difference = _difference(old, new, same and before.faces.sha256 is not None)
    figures: Figures = dict.fromkeys((*POINTS, *RATIOS))
    if difference:
        figures["drop"] = -difference.value
    if same and old.answers and new.answers and len(old.answers) == len(new.answers):
        alike = agreement(_digits(old.answers), _digits(new.answers))
        figures["agreement"] = 1 - alike.value
    if old.accuracy and new.accuracy:
        error = "calibration_error"
        figures["ece"] = new.accuracy[error] - old.accuracy[error]
    return Pair(new.name, {**figures, **_ratios(old, new)}, difference)


def _ratios(old: Result, new: Result) -> Figures:
    found: Figures = {}
    if old.cost and new.cost:
        found = {
            "p50": new.cost.p50_ms / old.cost.p50_ms,
            "p90": new.cost.p90_ms / old.cost.p90_ms,
            "p99": new.cost.p99_ms / old.cost.p99_ms,
            "first": new.cost.first_ms / old.cost.first_ms,
            "load": new.cost.load_ms / old.cost.load_ms,
            "memory": new.cost.peak_rss_bytes / old.cost.peak_rss_bytes,
        }
    if old.model and new.model:
        found["size"] = new.model.size_bytes / old.model.size_bytes
    if old.energy and new.energy:
        found["energy"] = new.energy.joules_per_face / old.energy.joules_per_face
    return found


def _difference(old: Result, new: Result, same: bool) -> Interval | None:
    if not old.accuracy or not new.accuracy:
        return None
    if same and old.right and new.right and len(old.right) == len(new.right):
        truth = np.ones(len(new.right), np.int64)
        return paired_difference(_digits(new.right), _digits(old.right), truth)
    return _unpaired(new, old)


def _unpaired(new: Result, old: Result) -> Interval:
    """From the two Wilson intervals (Newcombe, Stat. Med. 1998, method 10)."""
    assert new.accuracy
    assert old.accuracy
    p, (p_low, p_high) = new.accuracy["accuracy"], new.accuracy["accuracy_95"]
    q, (q_low, q_high) = old.accuracy["accuracy"], old.accuracy["accuracy_95"]
    below = float(np.hypot(p - p_low, q_high - q))
    above = float(np.hypot(p_high - p, q - q_low))
    return Interval(p - q, p - q - below, p - q + above)


def _broken(pairs: list[Pair], rules: list[Rule]) -> Iterator[str]:
    """A rule on what was not measured is broken too: silence must not pass for success."""
    for pair in pairs:
        for rule in rules:
            value = pair.figures[rule.figure]
            if value is None:
                yield f"FAIL {pair.name}: {rule.text}: {rule.figure} was not measured in both runs"
            elif value > rule.most:
                shown = f"{signed(value)} points" if rule.figure in POINTS else times(value)
                yield f"FAIL {pair.name}: {rule.text}: {rule.figure} is {shown}"


def _unsaid(gone: list[str], runs: tuple[Report, Report], rules: list[Rule]) -> Iterator[str]:
    """Rules that nothing can be said of: the model is gone, or the times must not be quoted."""
    for name in gone:
        yield from (f"FAIL {name}: {rule.text}: it is not in the later run" for rule in rules)
    for report, when in zip(runs, ("earlier", "later"), strict=True):
        for rule in rules:
            if report.invalid and rule.figure in TIMED:
                yield f"FAIL {rule.text}: the {when} run is invalid ({report.invalid})"


def _table(pairs: list[Pair]) -> Table:
    header = ("Model", "Accuracy", "95 %", "p50", "p90", "p99", "Memory", "Size", "Energy")
    return Table("Changes", "", header, tuple(map(_row, pairs)))


def _row(pair: Pair) -> tuple[Cell, ...]:
    change = pair.difference
    shown = ("p50", "p90", "p99", "memory", "size", "energy")
    return (
        Cell(pair.name),
        Cell(points(change.value)) if change else MISSING,
        Cell(points_range(change)) if change else MISSING,
        *(_ratio(pair.figures.get(figure)) for figure in shown),
    )


def _ratio(value: float | None) -> Cell:
    return MISSING if value is None else Cell(times(value))


def _notes(old: Report, new: Report) -> Iterator[str]:
    """What makes the two runs differ besides the models."""
    if old.place != new.place:
        yield f"Two machines: {old.place}, then {new.place}. Times and energy are not of one kind."
    if old.faces.sha256 != new.faces.sha256:
        yield "Other faces: the accuracies are of two sets, and not paired."
    elif not all(result.right for result in (*old.results, *new.results) if result.accuracy):
        yield "Without the answers of each face the accuracies are not paired."
    if old.settings != new.settings:
        yield "Other settings: the number of rounds, queries or seconds differs."
    for report, when in ((old, "earlier"), (new, "later")):
        if report.invalid:
            yield f"The {when} run is invalid ({report.invalid}): its times must not be quoted."
    for names, when in (
        ({r.name for r in old.results} - {r.name for r in new.results}, "earlier"),
        ({r.name for r in new.results} - {r.name for r in old.results}, "later"),
    ):
        if names:
            yield f"Only in the {when} run: {', '.join(sorted(names))}."


def _digits(text: str) -> np.ndarray:
    return np.array(list(text), np.int64)

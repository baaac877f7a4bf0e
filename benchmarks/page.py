"""The report as one page: no script, no request, everything inside the file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks import strips
from benchmarks.document import document, facts, figure, opening, section
from benchmarks.matrices import confusion, reliability
from benchmarks.plots import crowded, distribution, elsewhere, trade
from benchmarks.records import Result
from benchmarks.report import Report
from benchmarks.svg import SERIES
from benchmarks.tables import tables
from benchmarks.words import percent

TITLE = "edge-fer benchmark"


def page(report: Report) -> str:
    """A whole HTML document."""
    found = tables(report)
    body = [
        _opening(report),
        section(found["summary"], "headline"),
        _speed(report),
        section(found["latency"]),
        section(found["rates"]) if "rates" in found else "",
        section(found["accuracy"]),
        _confusions(report),
        _expressions(report),
        section(found["recall"]),
        section(found["corruptions"]) if "corruptions" in found else "",
        _reliabilities(report),
        _conditions(report),
        section(found["executed"]),
        f'<div class="pair">{facts(found["faces"])}{facts(found["machine"])}</div>',
    ]
    return document(TITLE, "\n".join(body))


def _opening(report: Report) -> str:
    faces = report.faces
    which = f"{faces.data}, {faces.split} split" if faces.data else "unlabelled"
    line = f"{report.place} · {faces.count:,} faces ({which}) · {report.made}"
    return opening(TITLE, line, report.notes, report.invalid)


def _speed(report: Report) -> str:
    results = report.results
    here = [r for r in results if r.cost and not elsewhere(r, results)]
    many = crowded(results)
    both = any(r.cost and r.accuracy for r in results)
    left = figure(
        "Accuracy against latency",
        "Up and to the left is better; the line is the front that no model beats in both. "
        "Bars: 95 % interval, and p50 to p90. A ring is of another machine.",
        trade(results) + legend(results, many, "" if many else "phone") if both else None,
    )
    # The colours are those of all subjects: one that is left out keeps its own.
    timed = tuple(r if r in here else Result(r.name, r.role) for r in results)
    right = figure(
        "Latency",
        "Share of inferences that took at most so long; the dot is the median. The slowest "
        "0.5 % are cut off.",
        distribution(timed) + legend(timed) if here else None,
    )
    return f'<section><h2>Speed and accuracy</h2><div class="pair">{left}{right}</div></section>'


def _confusions(report: Report) -> str:
    figures = "".join(_confusion(result) for result in report.results)
    return (
        '<section><h2>Confusion</h2><p class="caption">Rows are the truth, columns the answer, in '
        f'percent of the row.</p><div class="many">{figures}</div></section>'
    )


def _confusion(result: Result) -> str:
    if result.accuracy is None:
        return figure(result.name, "", None)
    right = f"{percent(result.accuracy['accuracy'])} of {result.accuracy['faces']:,} faces right"
    return figure(result.name, right, confusion(result))


def _expressions(report: Report) -> str:
    drawn = strips.change(report.results)
    shown = figure(
        "Change by expression",
        "A bar that crosses the line is no proven change. Intervals are Agresti and Min's, 95 %.",
        drawn + legend([r if r.versus else None for r in report.results]) if drawn else None,
    )
    faults = strips.faults(report.results)
    beside = figure(
        "Accuracy under faults of cameras and crops",
        "The same faces, one fault at one strength at a time. Bars: 95 % interval.",
        faults + legend(report.results) if faults else None,
    )
    return f'<section><h2>Where they differ</h2><div class="pair">{shown}{beside}</div></section>'


def _reliabilities(report: Report) -> str:
    figures = "".join(
        figure(
            result.name,
            f"Expected calibration error {result.accuracy['calibration_error']:.3f}",
            reliability(result.reliability),
        )
        for result in report.results
        if result.accuracy
    )
    if not figures:
        figures = figure("Reliability", "", None)
    return (
        '<section><h2>Reliability</h2><p class="caption">How often answers of so much confidence '
        f'are right: on the line a model is as right as it is sure.</p><div class="many">{figures}'
        "</div></section>"
    )


def _conditions(report: Report) -> str:
    sources = list(dict.fromkeys(r.energy.source for r in report.results if r.energy))
    told = f"Of the whole machine while the model ran, by {', '.join(sources)}." if sources else ""
    shown = figure("Energy of one face", told, strips.energy(report.results))
    return f'<section><h2>Energy</h2><div class="pair">{shown}</div></section>'


def legend(results: Sequence[Result | None], numbered: bool = False, kind: str = "") -> str:
    """One entry for each drawn subject, in its colour, with its number where dots have them."""
    entries = "".join(
        f'<li class="s{i % SERIES}">{f"{i + 1} " if numbered else ""}{escape(result.name)}</li>'
        for i, result in enumerate(results)
        if result and (result.cost or result.accuracy)
    )
    return f'<ul class="legend {kind}">{entries}</ul>'

"""The report as one page: no script, no request, everything inside the file."""

from __future__ import annotations

from html import escape

from benchmarks.document import document, facts, figure, opening, section
from benchmarks.plots import SERIES, confusion, distribution, trade
from benchmarks.report import Report, Result
from benchmarks.tables import tables
from benchmarks.words import percent

TITLE = "edge-fer benchmark"


def page(report: Report) -> str:
    """A whole HTML document."""
    found = tables(report)
    body = "\n".join(
        [
            _opening(report),
            section(found["summary"], "headline"),
            _plots(report),
            section(found["latency"]),
            section(found["accuracy"]),
            _confusions(report),
            section(found["recall"]),
            section(found["executed"]),
            f'<div class="pair">{facts(found["faces"])}{facts(found["machine"])}</div>',
        ]
    )
    return document(TITLE, body)


def _opening(report: Report) -> str:
    machine = report.machine
    where = machine.get("board") or machine.get("cpu") or "this machine"
    faces = report.faces
    which = f"{faces.data}, {faces.split} split" if faces.data else "unlabelled"
    line = f"{where} · {faces.count:,} faces ({which}) · {report.made}"
    return opening(TITLE, line, report.notes)


def _plots(report: Report) -> str:
    results = report.results
    timed = any(result.cost for result in results)
    both = any(result.cost and result.accuracy for result in results)
    left = figure(
        "Latency",
        "Share of inferences that took at most so long; the dot is the median.",
        distribution(results) + _legend(results) if timed else None,
    )
    right = figure(
        "Accuracy against latency",
        "Up and to the left is better. Bars: 95 % interval, and p50 to p90.",
        trade(results) if both else None,
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


def _legend(results: tuple[Result, ...]) -> str:
    """One entry for each curve, in its colour."""
    entries = "".join(
        f'<li class="s{i % SERIES}">{escape(result.name)}</li>'
        for i, result in enumerate(results)
        if result.cost
    )
    return f'<ul class="legend">{entries}</ul>'

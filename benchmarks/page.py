"""The report as one page: no script, no request, everything inside the file."""

from __future__ import annotations

from html import escape

from benchmarks.cells import Cell, Table
from benchmarks.plots import SERIES, confusion, distribution, trade
from benchmarks.report import Report, Result
from benchmarks.style import STYLE
from benchmarks.tables import tables
from benchmarks.words import NOT_MEASURED, percent

TITLE = "edge-fer benchmark"
# Whatever a label holds, the page loads nothing and runs nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
    """A whole HTML document."""
    found = tables(report)
    body = "\n".join(
        [
            _opening(report),
            _section(found["summary"], "headline"),
            _plots(report),
            _section(found["latency"]),
            _section(found["accuracy"]),
            _confusions(report),
            _section(found["recall"]),
            _section(found["executed"]),
            f'<div class="pair">{_facts(found["faces"])}{_facts(found["machine"])}</div>',
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{TITLE}</title>\n<style>{STYLE}</style></head>\n<body><main>\n{body}\n"
        "</main></body></html>\n"
    )


def _opening(report: Report) -> str:
    machine = report.machine
    where = machine.get("board") or machine.get("cpu") or "this machine"
    faces = report.faces
    which = f"{faces.data}, {faces.split} split" if faces.data else "unlabelled"
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return (
        f"<header><h1>{TITLE}</h1>"
        f'<p class="quiet">{escape(str(where))} · {faces.count:,} faces ({escape(which)}) · '
        f"{escape(report.made)}</p>"
        + (f'<div class="notes"><ul>{notes}</ul></div>' if notes else "")
        + "</header>"
    )


def _section(table: Table, kind: str = "") -> str:
    return (
        f"<section><h2>{escape(table.title)}</h2>"
        f'<p class="caption">{escape(table.caption)}</p>{_table(table, kind)}</section>'
    )


def _facts(table: Table) -> str:
    rows = "".join(_row(row) for row in table.rows)
    return (
        f"<section><h2>{escape(table.title)}</h2>"
        f'<div class="box"><table class="facts"><tbody>{rows}</tbody></table></div></section>'
    )


def _table(table: Table, kind: str) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.header)
    rows = "".join(_row(row) for row in table.rows)
    return (
        f'<div class="box" tabindex="0" role="region" aria-label="{escape(table.title)}">'
        f'<table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(cells: tuple[Cell, ...]) -> str:
    first, *others = cells
    fields = "".join(f'<td class="{cell.tone}">{_cell(cell)}</td>' for cell in others)
    return f'<tr><th scope="row">{_cell(first)}</th>{fields}</tr>'


def _cell(cell: Cell) -> str:
    detail = f"<small>{escape(cell.detail)}</small>" if cell.detail else ""
    return escape(cell.text) + detail


def _plots(report: Report) -> str:
    results = report.results
    timed = any(result.cost for result in results)
    both = any(result.cost and result.accuracy for result in results)
    left = _figure(
        "Latency",
        "Share of inferences that took at most so long; the dot is the median.",
        distribution(results) + _legend(results) if timed else None,
    )
    right = _figure(
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
        return _figure(result.name, "", None)
    right = f"{percent(result.accuracy['accuracy'])} of {result.accuracy['faces']:,} faces right"
    return _figure(result.name, right, confusion(result))


def _figure(title: str, caption: str, drawing: str | None) -> str:
    small = f"<small>{escape(caption)}</small>" if caption else ""
    shown = drawing or f'<div class="empty">{NOT_MEASURED}</div>'
    return f"<figure><figcaption>{escape(title)}{small}</figcaption>{shown}</figure>"


def _legend(results: tuple[Result, ...]) -> str:
    """One entry for each curve, in its colour."""
    entries = "".join(
        f'<li class="s{i % SERIES}">{escape(result.name)}</li>'
        for i, result in enumerate(results)
        if result.cost
    )
    return f'<ul class="legend">{entries}</ul>'

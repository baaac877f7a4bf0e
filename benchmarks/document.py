"""Parts that every page of figures is made of: no script, no request, all inside one file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.cells import Cell, Table
from benchmarks.style import STYLE
from benchmarks.words import NOT_MEASURED

# Whatever a label holds, the page loads nothing and runs nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(title: str, body: str) -> str:
    """A whole HTML document."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style></head>\n<body><main>\n{body}\n"
        "</main></body></html>\n"
    )


def opening(title: str, line: str, notes: Sequence[str], invalid: str | None = None) -> str:
    """The title, one line of facts, and what must be known before a figure is quoted."""
    said = f"Invalid: {invalid}. The times must not be quoted." if invalid else ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<header><h1>{escape(title)}</h1><p class="quiet">{escape(line)}</p>'
        + (f'<p class="invalid">{escape(said)}</p>' if said else "")
        + (f'<div class="notes"><ul>{items}</ul></div>' if items else "")
        + "</header>"
    )


def section(table: Table, kind: str = "") -> str:
    """A table below its title and caption."""
    return (
        f"<section><h2>{escape(table.title)}</h2>"
        f'<p class="caption">{escape(table.caption)}</p>{_table(table, kind)}</section>'
    )


def facts(table: Table) -> str:
    """A table of names and values, without a header."""
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


def figure(title: str, caption: str, drawing: str | None) -> str:
    """A drawing below its title; without one it says that nothing was measured."""
    small = f"<small>{escape(caption)}</small>" if caption else ""
    shown = drawing or f'<div class="empty">{NOT_MEASURED}</div>'
    return f"<figure><figcaption>{escape(title)}{small}</figcaption>{shown}</figure>"

"""The report as Markdown, and its summary as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.cells import Cell, Table
from benchmarks.report import Report
from benchmarks.tables import tables

SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"} | {"\n": " "})


def markdown(report: Report) -> str:
    """GitHub-flavoured Markdown."""
    return "\n".join(_lines(report)) + "\n"


def plain(report: Report) -> str:
    """The summary in aligned columns, and the notes."""
    told = [*_invalid(report), *report.notes]
    return "\n".join([*aligned(tables(report)["summary"]), "", *told]).rstrip()


def aligned(table: Table) -> list[str]:
    """A table's rows for a terminal, each column as wide as its widest text."""
    rows = [table.header, *([cell.text or cell.detail for cell in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.header))]
    return [_aligned(row, widths) for row in rows]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (text.ljust(width) for text, width in zip(row, widths, strict=True))
    return "  ".join([first, *(text.strip().rjust(len(text)) for text in others)])


def _lines(report: Report) -> Iterator[str]:
    yield "# edge-fer benchmark"
    yield f"\nMade {report.made} with edge-fer {_safe(report.edge_fer)}."
    yield from (f"\n**{_safe(line)}**" for line in _invalid(report))
    if report.notes:
        yield ""
        yield from (f"- **Note:** {_safe(note)}" for note in report.notes)
    for table in tables(report).values():
        yield from table_lines(table)


def _invalid(report: Report) -> Iterator[str]:
    """What stands before every figure of a run that must not be quoted."""
    if report.invalid:
        yield f"INVALID: {report.invalid}: the times must not be quoted."


def table_lines(table: Table) -> Iterator[str]:
    """A table below its title, as Markdown."""
    yield f"\n## {table.title}\n"
    if table.caption:
        yield f"{table.caption}\n"
    yield _row(table.header)
    yield _row(["---", *["---:"] * (len(table.header) - 1)] if table.caption else ["---"] * 2)
    yield from (_row([_cell(cell) for cell in row]) for row in table.rows)


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    if cell.text and cell.detail:
        return f"{_safe(cell.text)} ({_safe(cell.detail)})"
    return _safe(cell.text or cell.detail)


def _safe(text: str) -> str:
    return text.translate(SPECIAL)

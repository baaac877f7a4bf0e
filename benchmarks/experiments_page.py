"""The paper's experiments in one table, as text, Markdown and one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from benchmarks.cells import MISSING, Cell, Table
from benchmarks.document import document, facts, opening, section
from benchmarks.facts import fact_table, recipe_facts
from benchmarks.folds_page import INDEPENDENT, by_fold, seen_notes, share_cell, spread_cell
from benchmarks.markdown import aligned, table_lines
from benchmarks.words import points, points_range
from edge_fer.storage import write_file
from edge_fer.training.experiments import NAMES
from edge_fer.training.trial import Row, Trials

TITLE = "edge-fer experiments"
MARKDOWN, HTML = "experiments.md", "experiments.html"
WORDS = MappingProxyType(
    {
        "scratch": "the small collection alone",
        "frozen": "the large collection alone",
        "finetune": "the large one, then the small one",
        "combined": "both at once",
    }
)
PUBLISHED = MappingProxyType({"scratch": "62 %", "combined": "91.2 %"})
"""On Empathic, in plain folds (Nasri et al., ATSIP 2020, doi 10.1109/ATSIP49331.2020.9231537)."""


def write(done: Trials, out: Path) -> Path:
    """`experiments.md` and `experiments.html` beside the JSON; returns the page."""
    lines = [f"# {TITLE}", "", _line(done), "", *(f"- {note}" for note in notes(done))]
    for table in (_headline(done), *_details(done), _facts(done)):
        lines += table_lines(table)
    write_file(out / MARKDOWN, ("\n".join(lines) + "\n").encode())
    write_file(out / HTML, page(done).encode())
    return out / HTML


def plain(done: Trials) -> str:
    """The table in aligned columns, and what must be known of it."""
    return "\n".join([*aligned(_headline(done)), "", *notes(done)])


def page(done: Trials) -> str:
    """A whole HTML document."""
    body = [
        opening(TITLE, _line(done), list(notes(done))),
        section(_headline(done), "headline"),
        *(section(table) for table in _details(done)),
        facts(_facts(done)),
    ]
    return document(TITLE, "\n".join(body))


def notes(done: Trials) -> Iterator[str]:
    """What must be known before a figure is quoted."""
    if done.stand_in:
        yield (
            f"Stand-in: {done.large} for AffectNet and {done.small} for Empathic, which were not "
            "at hand. It shows that the experiments run, not what the paper's data would give."
        )
    kept = f"Grouped by {done.grouping}" if done.groups else "Plain folds, as in the paper"
    yield f"{kept}; every experiment is tested on the same {done.kfold} folds."
    yield f"{done.left_out:,} faces of the large collection were left out: the small one has them."
    yield from seen_notes(done.seen)
    yield INDEPENDENT


def _headline(done: Trials) -> Table:
    rows = {row.name: row for row in done.rows}
    here = f"{done.large}, {done.small}"
    own = () if not done.stand_in else ("AffectNet, Empathic: here",)
    named = f"Stand-in {here}" if done.stand_in else f"{here}: here"
    header = (
        "Trained on", "Published, Empathic", *own, f"{named}: accuracy", "Mean ± sd",
        "Over the first",
    )  # fmt: skip
    table = tuple(_row(name, rows.get(name), len(own)) for name in NAMES)
    caption = (
        "Accuracy on the held-out folds of the small collection; intervals are Wilson's, 95 %."
    )
    return Table("Experiments", caption, header, table)


def _row(name: str, found: Row | None, empty: int) -> tuple[Cell, ...]:
    published = Cell(PUBLISHED[name], "plain folds") if name in PUBLISHED else MISSING
    start = (Cell(name, WORDS[name]), published, *(MISSING,) * empty)
    if found is None:
        return (*start, MISSING, MISSING, MISSING)
    over = found.over_first
    gain = Cell(points(over.value), points_range(over)) if over else Cell("the first")
    spread = spread_cell(found.result.over_folds["accuracy"])
    return (*start, share_cell(found.result.pooled), spread, gain)


def _details(done: Trials) -> Iterator[Table]:
    for row in done.rows:
        table = by_fold(row.result, done.kfold, done.seen)
        yield Table(f"By fold: {row.name}", table.caption, table.header, table.rows)


def _facts(done: Trials) -> Table:
    learnt = f", {done.large_faces:,} faces learnt from alone" if done.large_faces else ""
    pairs = {
        "Small collection": f"{done.small} ({', '.join(done.splits)}): {done.faces:,} faces",
        "Large collection": f"{done.large}{learnt}",
        "Left out of the large": f"{done.left_out:,} faces",
        "SHA-256 of the list": done.sha256,
        "Groups": f"{done.groups:,} ({done.grouping})" if done.groups else "none",
        **recipe_facts(done.init, done.recipe, done.made),
    }
    return fact_table("Data and method", pairs)


def _line(done: Trials) -> str:
    kind = "stand-in, " if done.stand_in else ""
    return f"{kind}{done.small} · {done.faces:,} faces · {done.kfold} folds"

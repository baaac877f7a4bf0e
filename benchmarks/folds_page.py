"""A cross-validation as text for a terminal, as Markdown, and as one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cells import Cell, Table
from benchmarks.document import document, facts, figure, opening, section
from benchmarks.facts import fact_table, recipe_facts
from benchmarks.markdown import aligned, table_lines
from benchmarks.matrices import confusion
from benchmarks.records import BUNDLE, Result
from benchmarks.words import percent, percent_range
from edge_fer.emotions import LABELS
from edge_fer.statistics import Interval
from edge_fer.storage import write_file
from edge_fer.training.cross import CrossValidation, Folds, Spread
from edge_fer.training.seen import Seen

TITLE = "edge-fer cross-validation"
MARKDOWN, HTML = "kfold.md", "kfold.html"
INDEPENDENT = "Wilson's interval takes faces for independent; those of one group are not quite."


def write(done: CrossValidation, out: Path) -> Path:
    """`kfold.md` and `kfold.html` beside `kfold.json`; returns the page."""
    lines = [f"# {TITLE}", "", _line(done), "", *(f"- {note}" for note in notes(done))]
    for table in _tables(done):
        lines += table_lines(table)
    write_file(out / MARKDOWN, ("\n".join(lines) + "\n").encode())
    write_file(out / HTML, page(done).encode())
    return out / HTML


def plain(done: CrossValidation) -> str:
    """The folds in aligned columns, and what must be known of them."""
    return "\n".join([*aligned(by_fold(done.result, done.kfold, done.seen)), "", *notes(done)])


def page(done: CrossValidation) -> str:
    """A whole HTML document."""
    headline, folds, labels, made = _tables(done)
    drawing = confusion(Result("all folds", BUNDLE, accuracy=done.result.pooled))
    body = [
        opening(TITLE, _line(done), list(notes(done))),
        section(headline, "headline"),
        section(folds),
        figure("Confusion over all folds", "Rows are the truth, in percent.", drawing),
        section(labels),
        facts(made),
    ]
    return document(TITLE, "\n".join(body))


def notes(done: CrossValidation) -> Iterator[str]:
    """What must be known before a figure is quoted."""
    if done.grouped:
        told = f"{done.groups:,} groups ({done.grouping})"
        yield f"Grouped: no {done.grouping} stands on two sides of a fold; {told}."
    else:
        yield (
            "Plain folds, as in the paper: faces of one person, and copies of one picture, stand "
            "on both sides. The figures are higher than for people never seen."
        )
    yield from seen_notes(done.seen)
    yield "Folds, not an official split: the two do not belong in one column."
    yield INDEPENDENT


def seen_notes(seen: Seen) -> Iterator[str]:
    """Which of them may have seen what is tested."""
    for option, kinds in seen.items():
        yield (
            f"Not unseen: {option} learnt from {', '.join(kinds)} before, maybe from faces that "
            "are tested here. The figures are higher than for faces never seen."
        )


def by_fold(result: Folds, count: int, seen: Seen) -> Table:
    """Every fold, and their mean with its spread."""
    rows = [
        _figures(f"fold {number}", f"{found['faces']:,} faces", found)
        for number, found in enumerate(result.each, start=1)
    ]
    over = result.over_folds
    mean = (
        Cell("mean ± sd"),
        *(spread_cell(over[name]) for name in ("accuracy", "balanced_accuracy")),
        Cell(f"{over['macro_f1'].mean:.3f} ± {over['macro_f1'].sd:.3f}"),
        Cell(f"{over['calibration_error'].mean:.3f} ± {over['calibration_error'].sd:.3f}"),
    )
    header = ("Fold", "Accuracy", "Balanced accuracy", "Macro-F1", "Calibration error")
    caption = f"{count} folds, each tested once by a network that " + (
        "did not train on it; what it began with or was taught by may have."
        if seen
        else "did not see it."
    )
    return Table("By fold", caption, header, (*rows, mean))


def spread_cell(spread: Spread) -> Cell:
    """A share's mean and standard deviation."""
    return Cell(f"{percent(spread.mean)} ± {100 * spread.sd:.1f}")


def share_cell(pooled: dict[str, Any]) -> Cell:
    """The accuracy of pooled answers with its interval."""
    rate = Interval(pooled["accuracy"], *pooled["accuracy_95"])
    return Cell(percent(rate.value), percent_range(rate))


def _figures(name: str, detail: str, found: dict[str, float]) -> tuple[Cell, ...]:
    return (
        Cell(name, detail),
        Cell(percent(found["accuracy"])),
        Cell(percent(found["balanced_accuracy"])),
        Cell(f"{found['macro_f1']:.3f}"),
        Cell(f"{found['calibration_error']:.3f}"),
    )


def _tables(done: CrossValidation) -> tuple[Table, Table, Table, Table]:
    pooled, over = done.result.pooled, done.result.over_folds
    header = (
        "Folds",
        "Accuracy, mean ± sd",
        "Accuracy, all faces",
        "Balanced accuracy",
        "Macro-F1",
    )
    row = (
        Cell(f"{done.kfold} folds", "grouped" if done.grouped else "plain"),
        spread_cell(over["accuracy"]),
        share_cell(pooled),
        Cell(percent(pooled["balanced_accuracy"])),
        Cell(f"{pooled['macro_f1']:.3f}"),
    )
    headline = Table("Summary", "Intervals are Wilson's, 95 %.", header, (row,))
    labels = Table(
        "By expression",
        "Over all folds.",
        ("Expression", "Precision", "Recall"),
        tuple(_label(label, pooled) for label in LABELS),
    )
    return headline, by_fold(done.result, done.kfold, done.seen), labels, _facts(done)


def _label(label: str, pooled: dict[str, dict[str, float]]) -> tuple[Cell, ...]:
    known = (pooled[key].get(label) for key in ("precision", "recall"))
    return (Cell(label), *(Cell("" if share is None else percent(share)) for share in known))


def _facts(done: CrossValidation) -> Table:
    pairs = {
        "Data": f"{done.data}: {', '.join(done.splits)}",
        "Faces": f"{done.faces:,}",
        "SHA-256 of the list": done.sha256,
        "Groups": f"{done.groups:,} ({done.grouping})" if done.grouped else "none",
        **recipe_facts(done.init, done.recipe, done.made),
    }
    return fact_table("Data and method", pairs)


def _line(done: CrossValidation) -> str:
    kind = "grouped" if done.grouped else "plain"
    return f"{done.data} · {done.faces:,} faces · {done.kfold} {kind} folds"

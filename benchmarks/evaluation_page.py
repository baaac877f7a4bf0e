"""An evaluation as text for a terminal, as JSON, and as one page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.cells import MISSING, Cell, Table
from benchmarks.document import document, facts, figure, opening, section
from benchmarks.evaluate import FEW, Evaluation, Group
from benchmarks.facts import fact_table
from benchmarks.markdown import aligned
from benchmarks.matrices import confusion, reliability
from benchmarks.records import BUNDLE, Result
from benchmarks.words import megabytes, percent, percent_range, points, points_range
from edge_fer.statistics import Interval
from edge_fer.storage import write_file

TITLE = "edge-fer evaluation"
JSON, HTML = "evaluation.json", "evaluation.html"


def write(found: Evaluation, folder: Path) -> None:
    """`evaluation.json` and `evaluation.html`; raises StorageError."""
    write_file(folder / JSON, found.to_json().encode())
    write_file(folder / HTML, page(found).encode())


def plain(found: Evaluation) -> str:
    """The tables in aligned columns, and the notes."""
    tables = [headline(found), by_expression(found)]
    if found.corruptions:
        tables.append(by_corruption(found))
    if found.groups:
        tables.append(by_group(found))
    parts = [*(aligned(_in_one_line(table)) for table in tables), list(found.notes)]
    return "\n\n".join("\n".join(part) for part in parts)


def page(found: Evaluation) -> str:
    """A whole HTML document."""
    line = f"{found.name} · {found.faces.count:,} faces ({_split(found)}) · {found.made}"
    body = [
        opening(TITLE, line, found.notes),
        section(headline(found), "headline"),
        _drawings(found),
        section(by_expression(found)),
        section(by_corruption(found)) if found.corruptions else "",
        section(by_group(found)) if found.groups else "",
        f'<div class="pair">{facts(_model(found))}{facts(_faces(found))}</div>',
    ]
    return document(TITLE, "\n".join(body))


def headline(found: Evaluation) -> Table:
    """The figures over all faces; the header names the split that they belong to."""
    measured, abstaining = found.summary, found.abstaining
    low, high = measured["accuracy_95"]
    rate = Interval(measured["accuracy"], low, high)
    row = [
        Cell(found.name, f"{found.model.format} {found.model.precision_executed}"),
        _share(rate),
        Cell(percent(measured["balanced_accuracy"])),
        Cell(f"{measured['macro_f1']:.3f}"),
        Cell(f"{measured['calibration_error']:.3f}"),
        _share(abstaining.coverage) if abstaining else Cell("all", "never abstains"),
        _share(abstaining.accuracy if abstaining else rate),
    ]
    header = (
        "Model", f"Accuracy, {found.faces.split}", "Balanced accuracy", "Macro-F1",
        "Calibration error", "Labelled", "Accuracy when labelled",
    )  # fmt: skip
    caption = f"{_split(found)}. Intervals are Wilson's, 95 %."
    return Table("Summary", caption, header, (tuple(row),))


def by_expression(found: Evaluation) -> Table:
    """Precision and recall of each of the seven."""
    rows = tuple(
        (
            Cell(one.label),
            Cell(f"{one.faces:,}"),
            Cell(f"{one.answers:,}"),
            _share(one.precision),
            _share(one.recall),
        )
        for one in found.expressions
    )
    caption = "Precision: how often the answer is right. Recall: how many of its faces are found."
    header = ("Expression", "Faces", "Answers", "Precision", "Recall")
    return Table("By expression", caption, header, rows)


def by_corruption(found: Evaluation) -> Table:
    """Accuracy under each fault of cameras and crops, beside that on clean faces."""
    low, high = found.summary["accuracy_95"]
    clean = _share(Interval(found.summary["accuracy"], low, high))
    rows = tuple(
        (
            Cell(one.corruption),
            _share(one.accuracy),
            Cell(points(one.difference.value), points_range(one.difference)),
        )
        for one in found.corruptions
    )
    caption = "One fault at a time, at one strength, on the same faces; differences are paired."
    header = ("Faces", f"Accuracy, {found.faces.split}", "Against clean")
    return Table("Under faults", caption, header, ((Cell("clean"), clean, Cell("")), *rows))


def by_group(found: Evaluation) -> Table:
    """Accuracy by age, gender and whatever else the data tell of the persons."""
    caption = f"A group of fewer than {FEW} faces says little; look at the intervals."
    header = ("Group", "Faces", "Accuracy", "Balanced accuracy")
    return Table("By group of persons", caption, header, tuple(map(_group, found.groups)))


def _group(group: Group) -> tuple[Cell, ...]:
    few = Cell(f"{group.faces:,}", "few", "unsure")
    return (
        Cell(f"{group.attribute}: {group.value}"),
        few if group.faces < FEW else Cell(f"{group.faces:,}"),
        _share(group.accuracy),
        Cell(percent(group.balanced_accuracy)),
    )


def _drawings(found: Evaluation) -> str:
    matrix = confusion(Result(found.name, BUNDLE, accuracy=found.summary))
    left = figure("Confusion", "Rows are the truth, columns the answer, in percent.", matrix)
    right = figure(
        "Reliability",
        "Bars: how often answers of so much confidence are right. On the line is calibrated.",
        reliability(found.reliability),
    )
    return f'<section><h2>Answers</h2><div class="pair">{left}{right}</div></section>'


def _model(found: Evaluation) -> Table:
    model = found.model
    pairs = {
        "Format": model.format,
        "Precision": f"{model.precision_executed}, asked for {model.precision_asked}",
        "Runtime": model.runtime,
        "Device": f"{model.device}, {model.threads} threads",
        "Input": f"{model.input_size} px",
        "Size": megabytes(model.size_bytes),
        "SHA-256": model.sha256,
    }
    return fact_table("Model", pairs)


def _faces(found: Evaluation) -> Table:
    pairs = {
        "Data": str(found.faces.data),
        "Split": f"{found.faces.split} ({found.origin})",
        "Protocol": found.protocol,
        "Faces": f"{found.faces.count:,}",
        "SHA-256 of the list": str(found.faces.sha256),
        "edge-fer": found.edge_fer,
    }
    return fact_table("Data", pairs)


def _in_one_line(table: Table) -> Table:
    """The same table with every detail beside its text."""
    rows = [
        tuple(Cell(f"{c.text} ({c.detail})") if c.text and c.detail else c for c in row)
        for row in table.rows
    ]
    return replace(table, rows=tuple(rows))


def _split(found: Evaluation) -> str:
    return f"{found.faces.data}, {found.faces.split} split: {found.origin}"


def _share(rate: Interval | None) -> Cell:
    return Cell(percent(rate.value), percent_range(rate)) if rate else MISSING

"""Your own pictures: folders named after the expressions, or a CSV that names them.

Three layouts are read: `<label>/*` (the same faces for every split), `<split>/<label>/*`, and a CSV
with the columns `file,label` and, if wanted, `split` and `subject`; its files are named relative to
the CSV.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from edge_fer.datasets.labels import emotion_named
from edge_fer.errors import BadData, NotFound
from edge_fer.images import SUFFIXES, read_image
from edge_fer.types import Sample

FOLDERS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
"""How a split may be spelt, in folder names and in the CSV."""


class Folder:
    """The labelled pictures below a folder, or of one CSV file."""

    def __init__(self, path: str) -> None:
        self.name = f"folder:{path}"
        self._root = Path(path)
        if not path or not self._root.exists():
            raise NotFound(
                f"{self.name}: no such file or folder; give a folder of <label>/ or a CSV"
            )

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of a split, sorted by label and name, or in the order of the CSV."""
        if self._root.is_file():
            return list(_from_csv(self._root, split))
        found = {p.name.lower(): p for p in self._root.iterdir() if p.is_dir()}
        if not found.keys() & {name for names in FOLDERS.values() for name in names}:
            return list(_from_labels(self._root))
        chosen = [found[name] for name in FOLDERS[split] if name in found]
        if not chosen:
            raise NotFound(
                f"{self.name}: has no {split} split; expected the folder {split}/<label>/"
            )
        return list(_from_labels(chosen[0]))


def _from_labels(folder: Path) -> Iterator[Sample]:
    for labelled in sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."):
        emotion = emotion_named(labelled.name, str(labelled))
        for path in sorted(p for p in labelled.iterdir() if p.suffix.lower() in SUFFIXES):
            yield Sample(emotion, f"{labelled.name}/{path.name}", partial(read_image, path))


def _from_csv(table: Path, split: str) -> Iterator[Sample]:
    # utf-8-sig: spreadsheets put a byte order mark before the first column's name.
    with table.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        if not {"file", "label"} <= set(rows.fieldnames or ()):
            raise BadData(f"{table}: the first line must name the columns file and label")
        for row in rows:
            where = f"{table}:{rows.line_num}"
            if _wanted(row, split, where):
                yield _from_row(row, table.parent, where)


def _wanted(row: dict[str, str | None], split: str, where: str) -> bool:
    """Whether a row belongs to the split; a CSV without that column serves every split."""
    name = row.get("split")
    if not name:
        return True
    if not any(name.lower() in names for names in FOLDERS.values()):
        raise BadData(f"{where}: unknown split {name!r}; known: {', '.join(FOLDERS)}")
    return name.lower() in FOLDERS[split]


def _from_row(row: dict[str, str | None], folder: Path, where: str) -> Sample:
    file, label = row["file"], row["label"]
    if not file or not label:
        raise BadData(f"{where}: needs a file and a label; the row is cut short")
    path = folder / file
    if not path.is_file():
        raise NotFound(f"{where}: {path} is not there; files are named relative to the CSV")
    return Sample(
        emotion_named(label, where), file, partial(read_image, path), row.get("subject") or None
    )

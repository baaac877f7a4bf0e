"""AffectNet (Mollahosseini et al., IEEE TAC 2019), in both layouts that its authors hand out.

2017: `training.csv` and `validation.csv` beside `Manually_Annotated_Images/`, or below
`Manually_Annotated_file_lists/`; the CSV holds the face box. Later: `train_set/` and `val_set/`,
each with `images/N.jpg` and `annotations/N_exp.npy`; the picture is the face.

The test set was never handed out and results are published on the official validation set: it is
`test` here, and `validation` is one face in 50 of the training set, chosen by its name.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

from edge_fer.datasets.holdout import held_out
from edge_fer.datasets.rows import Row, attributes_of, read_rows
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NoSplit, NotFound
from edge_fer.images import read_image
from edge_fer.types import Box, Sample

ONE_IN = 50
"""About 5,700 faces of the training set, as many of each class as it has itself."""
DROPPED = MappingProxyType({7: "contempt", 8: "none", 9: "uncertain", 10: "no face"})
"""Expressions beyond the seven."""
NO_BOX = "no face box"
HEADER = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks",
    "expression", "valence", "arousal",
)  # fmt: skip
"""Columns of 2017, for copies whose validation.csv has no first line of names."""
NEEDED = ("subDirectory_filePath", "expression")
LISTS = ("", "Manually_Annotated_file_lists", "Manually_Annotated/Manually_Annotated_file_lists")
IMAGES = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")
TABLES = MappingProxyType({"train": "training.csv", "test": "validation.csv"})
FOLDERS = MappingProxyType({"train": "train_set", "test": "val_set"})
ENDING = "_exp.npy"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the collection before it is known to be one of the seven."""

    name: str
    path: str
    expression: int
    where: str
    box: Box | None = None
    attributes: tuple[tuple[str, str], ...] = ()


class AffectNet:
    """`affectnet:PATH`, the folder that the archives were unpacked in."""

    origins = MappingProxyType(
        {
            "train": f"official training set without one face in {ONE_IN}",
            "validation": f"one face in {ONE_IN} of the official training set, drawn by edge-fer",
            "test": "official validation set",
        }
    )

    def __init__(self, path: str) -> None:
        self.name = f"affectnet:{path}"
        self._root = Path(path)
        self.dropped: dict[str, Counter[str]] = {}
        if not path or not self._root.is_dir():
            raise NotFound(f"{self.name}: no such folder; give the path of your AffectNet copy")

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of a split, in the order of the CSV or of the file names.

        What is none of the seven is left out and counted in `dropped[split]`. Pictures are not
        looked for: one that is missing is named when it is read.
        """
        dropped: Counter[str] = Counter()
        kept: list[Sample] = []
        for entry in self._entries(split):
            reason = _reason(entry)
            if reason is None:
                kept.append(_sample(entry))
            else:
                dropped[reason] += 1
        self.dropped[split] = dropped
        return kept

    def _entries(self, split: str) -> Iterator[_Entry]:
        official = "test" if split == "test" else "train"
        folder = self._root / FOLDERS[official]
        if folder.is_dir():
            return _from_annotations(folder, split)
        tables = (self._root / place / TABLES[official] for place in LISTS)
        table = next((table for table in tables if table.is_file()), None)
        if table is None:
            raise NoSplit(
                f"{self.name}: has no {split} split; expected {TABLES[official]} or "
                f"{FOLDERS[official]}/ with images/ and annotations/"
            )
        return _from_table(table, self._images(), split)

    def _images(self) -> Path:
        places = (self._root / place for place in IMAGES)
        return next((place for place in places if place.is_dir()), self._root)


def _from_table(table: Path, images: Path, split: str) -> Iterator[_Entry]:
    for row, where in read_rows(table, NEEDED, HEADER):
        name = row["subDirectory_filePath"]
        if _in_split(name, split):
            number = _number(row["expression"], where)
            box = _box(row, where) if number not in DROPPED else None
            yield _Entry(name, f"{images}/{name}", number, where, box, attributes_of(row))


def _from_annotations(folder: Path, split: str) -> Iterator[_Entry]:
    notes = folder / "annotations"
    if not notes.is_dir():
        raise NotFound(f"{notes}: no such folder; it holds the labels, N{ENDING}")
    for file in sorted(name for name in os.listdir(notes) if name.endswith(ENDING)):
        name = file.removesuffix(ENDING)
        if _in_split(name, split):
            where = f"{notes}/{file}"
            expression = _number(_stored(where), where)
            yield _Entry(f"{name}.jpg", f"{folder}/images/{name}.jpg", expression, where)


def _in_split(name: str, split: str) -> bool:
    return split == "test" or held_out(name, ONE_IN) == (split == "validation")


def _stored(path: str) -> str:
    """The label in an annotation: an array of one number, in some copies as text."""
    try:
        return str(np.load(path, allow_pickle=False).item())
    except (OSError, ValueError, EOFError) as error:
        raise BadData(f"{path}: is not an annotation (one number); fetch it again") from error


def _number(text: str, where: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < len(Emotion) + len(DROPPED):
        raise BadData(f"{where}: expression {text!r} is out of range; 0 to 10 are known")
    return number


def _box(row: Row, where: str) -> Box | None:
    """The face box; None where the collection found no face (a width or height below 1)."""
    try:
        left, top, width, height = (
            int(row[name]) for name in ("face_x", "face_y", "face_width", "face_height")
        )
    except KeyError as error:
        raise BadData(f"{where}: the CSV has no column {error}; the 2017 layout has one") from error
    except ValueError as error:
        raise BadData(f"{where}: the face box is not four whole numbers") from error
    return Box(left, top, left + width, top + height) if min(width, height) > 0 else None


def _reason(entry: _Entry) -> str | None:
    """Why an entry is left out; None for a face to keep."""
    if entry.expression in DROPPED:
        return DROPPED[entry.expression]
    boxed = not entry.where.endswith(ENDING)
    return NO_BOX if boxed and entry.box is None else None


def _sample(entry: _Entry) -> Sample:
    return Sample(
        Emotion(entry.expression),
        entry.name,
        partial(read_image, entry.path),
        box=entry.box,
        attributes=entry.attributes,
    )

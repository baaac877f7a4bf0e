"""Empathic, the private collection of its project: a folder a subject, or a CSV.

Three layouts are read: `<subject>/<label>/*`, `<subject>/<label>_*` (`anna/happy_0001.jpg`), and a
CSV with the columns `file,label,subject` and, if wanted, `split`, `age`, `gender`, `race` and
`skin_tone`; its files are named relative to the CSV.

There are no official splits. Unless a CSV names them, whole subjects are drawn by their name: 15 %
for `test`, 15 % for `validation`, so that nobody stands in two splits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from edge_fer.datasets.folder import in_split, sample_of_row
from edge_fer.datasets.holdout import splits_of_subjects
from edge_fer.datasets.labels import emotion_named
from edge_fer.datasets.rows import read_rows
from edge_fer.errors import BadData, NotFound
from edge_fer.images import SUFFIXES, read_image
from edge_fer.types import Sample

FEWEST = 3
"""Subjects that three splits need."""
LABEL = re.compile(r"[A-Za-z]+")
"""The expression at the start of a file's name."""
DRAWN = "whole subjects, drawn by edge-fer unless the CSV names splits"


class Empathic:
    """`empathic:PATH`, the folder of the subjects' folders, or a CSV."""

    origins = MappingProxyType(dict.fromkeys(("train", "validation", "test"), DRAWN))

    def __init__(self, path: str) -> None:
        self.name = f"empathic:{path}"
        self._root = Path(path)
        if not path or not self._root.exists():
            raise NotFound(
                f"{self.name}: no such file or folder; give a folder of <subject>/ or a CSV"
            )

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of a split, by subject and name, or in the order of the CSV."""
        if self._root.is_file():
            return self._from_csv(split)
        folders = sorted(p for p in self._root.iterdir() if p.is_dir() and p.name[0] != ".")
        chosen = self._splits([folder.name for folder in folders])
        return [
            sample
            for folder in folders
            if chosen[folder.name] == split
            for sample in _from_subject(folder)
        ]

    def _from_csv(self, split: str) -> list[Sample]:
        rows = list(read_rows(self._root, ("file", "label", "subject")))
        if rows and "split" in rows[0][0]:
            wanted = [(row, where) for row, where in rows if in_split(row, split, where)]
        else:
            chosen = self._splits([row["subject"] for row, _ in rows])
            wanted = [(row, where) for row, where in rows if chosen[row["subject"]] == split]
        return [sample_of_row(row, self._root.parent, where) for row, where in wanted]

    def _splits(self, subjects: list[str]) -> dict[str, str]:
        count = len(set(subjects))
        if count < FEWEST:
            raise BadData(
                f"{self.name}: {count} subjects cannot be split in three; "
                "use a CSV with a column split"
            )
        return splits_of_subjects(subjects)


def _from_subject(folder: Path) -> Iterator[Sample]:
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        label = path.name if path.parent == folder else path.relative_to(folder).parts[0]
        named = LABEL.match(label)
        emotion = emotion_named(named[0] if named else label, str(path))
        source = str(path.relative_to(folder.parent))
        yield Sample(emotion, source, partial(read_image, path), folder.name)

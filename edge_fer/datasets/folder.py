"""Your own pictures: folders named after the expressions, or a CSV that names them.

Three layouts are read: `<label>/*` (the same faces for every split, of which training holds out a
tenth), `<split>/<label>/*`, and a CSV with the columns `file,label` and, if wanted, `split`,
`subject`, `age`, `gender`, `race` and `skin_tone`; its files are named relative to the CSV.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from edge_fer.datasets.holdout import UNSPLIT
from edge_fer.datasets.labels import emotion_named
from edge_fer.datasets.rows import Row, attributes_of, read_rows
from edge_fer.errors import BadData, NoSplit, NotFound
from edge_fer.images import SUFFIXES, read_image
from edge_fer.types import Sample

FOLDERS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
"""How a split may be spelt, in folder names and in the CSV."""
NEEDED = ("file", "label")


class Folder:
    """The labelled pictures below a folder, or of one CSV file."""

    def __init__(self, path: str) -> None:
        self.name = f"folder:{path}"
        self._root = Path(path)
        if not path or not self._root.exists():
            raise NotFound(
                f"{self.name}: no such file or folder; give a folder of <label>/ or a CSV"
            )

    @property
    def origins(self) -> dict[str, str]:
        """That every split has the same faces, where neither folders nor a CSV tell them apart."""
        return {} if self._is_split() else dict.fromkeys(FOLDERS, UNSPLIT)

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of a split, sorted by label and name, or in the order of the CSV."""
        if self._root.is_file():
            return list(_from_csv(self._root, split))
        if not self._is_split():
            return list(_from_labels(self._root))
        found = self._folders()
        chosen = [found[name] for name in FOLDERS[split] if name in found]
        if not chosen:
            raise NoSplit(
                f"{self.name}: has no {split} split; expected the folder {split}/<label>/"
            )
        return list(_from_labels(chosen[0]))

    def _is_split(self) -> bool:
        if self._root.is_file():
            return any("split" in row for row, _ in islice(read_rows(self._root, NEEDED), 1))
        spelt = {name for names in FOLDERS.values() for name in names}
        return bool(self._folders().keys() & spelt)

    def _folders(self) -> dict[str, Path]:
        return {p.name.lower(): p for p in self._root.iterdir() if p.is_dir()}


def _from_labels(folder: Path) -> Iterator[Sample]:
    for labelled in sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."):
        emotion = emotion_named(labelled.name, str(labelled))
        for path in sorted(p for p in labelled.iterdir() if p.suffix.lower() in SUFFIXES):
            yield Sample(emotion, f"{labelled.name}/{path.name}", partial(read_image, path))


def _from_csv(table: Path, split: str) -> Iterator[Sample]:
    for row, where in read_rows(table, NEEDED):
        if in_split(row, split, where):
            yield sample_of_row(row, table.parent, where)


def in_split(row: Row, split: str, where: str) -> bool:
    """Whether a row belongs to the split; a CSV without that column serves every split."""
    name = row.get("split")
    if name is None:
        return True
    if not name.strip():
        raise BadData(
            f"{where}: the split is empty; name one of {', '.join(FOLDERS)} in every row, or leave "
            "the column out"
        )
    if not any(name.lower() in names for names in FOLDERS.values()):
        raise BadData(f"{where}: unknown split {name!r}; known: {', '.join(FOLDERS)}")
    return name.lower() in FOLDERS[split]


def sample_of_row(row: Row, folder: Path, where: str) -> Sample:
    """The sample of a row with `file` and `label`; raises NotFound where the picture is not."""
    path = folder / row["file"]
    if not path.is_file():
        raise NotFound(f"{where}: {path} is not there; files are named relative to the CSV")
    return Sample(
        emotion_named(row["label"], where),
        row["file"],
        partial(read_image, path),
        row.get("subject") or None,
        attributes=attributes_of(row),
    )

"""FER2013 (Goodfellow et al., 2013): 48x48 grey faces, 28,709 / 3,589 / 3,589.

Three layouts are read: the challenge's `fer2013.csv` (`emotion,pixels,Usage`), image folders
(`train|validation|test/<label>/*`), and sheets (`train.jpg` beside `train.csv`: the faces side by
side, 128 a row, in the order of the CSV).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np

from edge_fer.datasets.labels import emotion_named
from edge_fer.datasets.rows import read_rows
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NoSplit, NotFound
from edge_fer.images import SUFFIXES, read_image
from edge_fer.plugins import missing
from edge_fer.types import Image, Sample

SIDE = 48
"""Pixels of a face."""
COLUMNS = 128
"""Faces a row of a sheet."""
USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
FOLDERS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "publictest"),
    "test": ("test", "privatetest"),
}
NUMBERED = tuple(
    Emotion[n] for n in ("ANGER", "DISGUST", "FEAR", "HAPPY", "SAD", "SURPRISE", "NEUTRAL")
)
"""The challenge's own numbers, 0 to 6."""


class Fer2013:
    """The dataset below a folder, or in one CSV file."""

    origins = MappingProxyType({split: f"official, {usage}" for split, usage in USAGE.items()})

    def __init__(self, path: str) -> None:
        self.name = f"fer2013:{path}"
        self._root = Path(path)
        if not path or not self._root.exists():
            raise NotFound(
                f"{self.name}: no such file or folder; give the path of your FER2013 copy"
            )

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of one official split, in the files' own order."""
        table = self._root if self._root.is_file() else self._root / "fer2013.csv"
        if table.is_file():
            return list(_from_csv(table, USAGE[split]))
        sheet = self._root / f"{split}.jpg"
        if sheet.is_file():
            return list(_from_sheet(sheet))
        folder = self._folder(split)
        if folder is None and sheet.with_suffix(".csv").is_file():
            raise NotFound(f"{sheet}: no such file; it holds the faces that {split}.csv names")
        if folder is None:
            raise NoSplit(
                f"{self.name}: has no {split} split; expected fer2013.csv, "
                f"{split}.jpg with {split}.csv, or {split}/<label>/ folders"
            )
        return list(_from_folder(folder))

    def _folder(self, split: str) -> Path | None:
        found = {p.name.lower(): p for p in self._root.iterdir() if p.is_dir()}
        return next((found[name] for name in FOLDERS[split] if name in found), None)


def _from_folder(folder: Path) -> Iterator[Sample]:
    for labelled in sorted(p for p in folder.iterdir() if p.is_dir()):
        emotion = emotion_named(labelled.name, str(labelled))
        for path in sorted(p for p in labelled.iterdir() if p.suffix.lower() in SUFFIXES):
            yield Sample(emotion, f"{labelled.name}/{path.name}", partial(read_image, path))


def _from_sheet(sheet: Path) -> Iterator[Sample]:
    pixels, table, count = _sheet(sheet), sheet.with_suffix(".csv"), 0
    for i, (row, where) in enumerate(read_rows(table, ("file", "label"))):
        top, left = SIDE * (i // COLUMNS), SIDE * (i % COLUMNS)
        face = pixels[top : top + SIDE, left : left + SIDE]
        if face.shape != (SIDE, SIDE):
            raise BadData(f"{where}: no face for this row; the sheet is cut short")
        emotion = emotion_named(row["label"], where)
        yield Sample(emotion, f"{sheet.stem}/{row['file']}", partial(_as_bgr, face))
        count += 1
    if -(-count // COLUMNS) < pixels.shape[0] // SIDE:
        raise BadData(f"{table}: {count} rows, but the sheet has more faces; the CSV is cut short")


@lru_cache(maxsize=4)
def _sheet(path: Path) -> np.ndarray:
    """The grey pixels of a sheet, by Pillow: OpenCV is held to pictures that a camera gives."""
    try:
        from PIL import Image as Picture
    except ModuleNotFoundError as error:
        raise missing(error.name or "PIL", "a sheet of faces") from error
    try:
        return np.asarray(Picture.open(path).convert("L"), np.uint8)
    except (OSError, ValueError, Picture.DecompressionBombError) as error:
        raise BadData(f"{path}: not a readable picture ({error})") from error


def _from_csv(table: Path, usage: str) -> Iterator[Sample]:
    try:
        with table.open(newline="") as rows:
            reader = csv.DictReader(rows)
            if not {"emotion", "pixels", "Usage"} <= set(reader.fieldnames or ()):
                raise BadData(f"{table}: not FER2013's CSV; its columns are emotion, pixels, Usage")
            for line, row in enumerate(reader, start=2):
                if row["Usage"] not in USAGE.values():
                    raise BadData(
                        f"{table}:{line}: Usage is {row['Usage']!r}, expected one of "
                        f"{', '.join(USAGE.values())}; the row is damaged or the file is cut short"
                    )
                if row["Usage"] == usage:
                    yield _from_row(row, f"{table}:{line}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{table}: not a CSV file ({error})") from error


def _from_row(row: dict[str, str], where: str) -> Sample:
    try:
        number = int(row["emotion"])
        if number < 0:  # a list counts negative positions from its end
            raise ValueError(number)
        emotion = NUMBERED[number]
        pixels = np.array(row["pixels"].split(), np.uint8).reshape(SIDE, SIDE)
    except (KeyError, IndexError, ValueError, AttributeError, OverflowError) as error:
        raise BadData(
            f"{where}: expected emotion 0 to 6 and {SIDE * SIDE} pixels 0 to 255; "
            "the row is damaged or the file is cut short"
        ) from error
    return Sample(emotion, where.rsplit("/", 1)[-1], partial(_as_bgr, pixels))


def _as_bgr(grey: np.ndarray) -> Image:
    """(H, W) to (H, W, 3): the same value in every channel."""
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)

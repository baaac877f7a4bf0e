"""RAF-DB (Li et al., CVPR 2017), basic emotions: `list_patition_label.txt` and aligned faces.

The list (its name is spelt so) lies beside the pictures or in `EmoLabel/`; the pictures are
`train_00001_aligned.jpg` or `train_00001.jpg`, beside it or in `Image/aligned/`. Where
`Annotation/manual/` is there too, gender, race and age become attributes. `validation` is one
face in 10 of the official training set, chosen by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from edge_fer.datasets.holdout import held_out
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NotFound
from edge_fer.images import read_image
from edge_fer.types import Image, Sample

ONE_IN = 10
LIST = "list_patition_label.txt"
LISTS = ("", "EmoLabel", "basic/EmoLabel")
IMAGES = ("Image/aligned", "aligned", "")
MANUAL = "Annotation/manual"
NUMBERED = tuple(
    Emotion[n] for n in ("SURPRISE", "FEAR", "DISGUST", "HAPPY", "SAD", "ANGER", "NEUTRAL")
)
"""The collection's own numbers, from 1."""
MARKS = MappingProxyType(
    {
        "gender": ("male", "female", "unsure"),
        "race": ("Caucasian", "African-American", "Asian"),
        "age": ("0-3", "4-19", "20-39", "40-69", "70+"),
    }
)
"""Meaning of the three numbers below the five landmarks of a manual annotation, in its order."""
LANDMARKS = 5


class RafDb:
    """`rafdb:PATH`, the folder of the list, or one above it."""

    origins = MappingProxyType(
        {
            "train": f"official training set without one face in {ONE_IN}",
            "validation": f"one face in {ONE_IN} of the official training set, drawn by edge-fer",
            "test": "official test set",
        }
    )

    def __init__(self, path: str) -> None:
        self.name = f"rafdb:{path}"
        lists = (Path(path) / place / LIST for place in LISTS)
        found = next((file for file in lists if path and file.is_file()), None)
        if found is None:
            raise NotFound(f"{self.name}: no {LIST} here; give the folder that holds it")
        self._list = found
        self._root = found.parent.parent if found.parent.name == "EmoLabel" else found.parent

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of a split, in the list's own order; a missing picture is named when read."""
        return list(self._faces(split))

    def _faces(self, split: str) -> Iterator[Sample]:
        images = next(self._root / i for i in IMAGES if (self._root / i).is_dir())
        marked = (self._root / MANUAL).is_dir()
        with self._list.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                name, emotion = _read(line, f"{self._list}:{number}")
                if _split_of(name) == split:
                    marks = _marks(self._root / MANUAL / _marks_name(name)) if marked else ()
                    read = partial(_read_either, images, name)
                    yield Sample(emotion, name, read, attributes=marks)


def _read(line: str, where: str) -> tuple[str, Emotion]:
    try:
        name, number = line.split()
        position = int(number) - 1
    except ValueError as error:
        raise BadData(f"{where}: needs a file and a number; the line is cut short") from error
    if position not in range(len(NUMBERED)) or not name.startswith(("train_", "test_")):
        raise BadData(f"{where}: expected train_N.jpg or test_N.jpg and a label 1 to 7")
    return name, NUMBERED[position]


def _split_of(name: str) -> str:
    if name.startswith("test_"):
        return "test"
    return "validation" if held_out(name, ONE_IN) else "train"


def _read_either(images: Path, name: str) -> Image:
    """The aligned face; a copy may have dropped `_aligned` from its names."""
    aligned = images / f"{Path(name).stem}_aligned.jpg"
    return read_image(aligned if aligned.is_file() else images / name)


def _marks_name(name: str) -> str:
    return f"{Path(name).stem}_manu_attri.txt"


def _marks(file: Path) -> tuple[tuple[str, str], ...]:
    """Gender, race and age; raises NotFound or BadData naming the file."""
    try:
        lines = list(enumerate(file.read_text().splitlines(), start=1))[LANDMARKS:]
    except FileNotFoundError as error:
        raise NotFound(f"{file}: no such annotation; the folder is not complete") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{file}: is not text; fetch it again") from error
    told = [(number, line.strip()) for number, line in lines if line.strip()]
    if len(told) != len(MARKS):
        raise BadData(f"{file}: expected five landmarks, then gender, race and age")
    return tuple(
        (mark, _word(words, text, f"{file}:{number}: {mark}"))
        for (mark, words), (number, text) in zip(MARKS.items(), told, strict=True)
    )


def _word(words: tuple[str, ...], text: str, where: str) -> str:
    if text not in map(str, range(len(words))):
        raise BadData(f"{where} is {text!r}, expected 0 to {len(words) - 1}")
    return words[int(text)]

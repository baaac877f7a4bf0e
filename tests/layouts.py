"""Small collections in the layouts of the published ones, drawn by the tests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge_fer.datasets import affectnet, rafdb
from edge_fer.datasets.holdout import held_out
from edge_fer.emotions import LABELS

HEADER = ",".join(affectnet.HEADER)


def picture(path: Path, seed: int = 0, side: int = 48) -> Path:
    """A grainy picture; another seed is another picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grain = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), grain)
    return path


def row(name: str, expression: object, box: Sequence[object] = (4, 4, 40, 40)) -> str:
    """A row of AffectNet's CSV of 2017."""
    return f"{name},{','.join(map(str, box))},1;2,{expression},0.1,-0.2"


def affectnet_table(folder: Path, name: str, *rows: str, header: str = HEADER) -> str:
    """`training.csv` or `validation.csv`; returns the spec."""
    (folder / "Manually_Annotated_Images").mkdir(exist_ok=True)
    lines = [header, *rows] if header else rows
    (folder / name).write_text("\n".join(lines) + "\n")
    return f"affectnet:{folder}"


def affectnet_2017(folder: Path) -> str:
    """A face of every expression in every split."""
    names = [named(label, held, affectnet.ONE_IN) for held in (False, True) for label in LABELS]
    rows = [row(name, i % len(LABELS)) for i, name in enumerate(names)]
    for i, name in enumerate(names):
        picture(folder / "Manually_Annotated_Images" / name, i)
    affectnet_table(folder, "training.csv", *rows)
    return affectnet_table(folder, "validation.csv", *rows)


def affectnet_later(folder: Path, split: str, labels: Iterable[object]) -> str:
    """`train_set` or `val_set` with these labels, numbered from 0."""
    for number, label in enumerate(labels):
        picture(folder / split / "images" / f"{number}.jpg", number)
        (folder / split / "annotations").mkdir(exist_ok=True)
        np.save(folder / split / "annotations" / f"{number}_exp.npy", np.array(label))
    return f"affectnet:{folder}"


def rafdb_basic(folder: Path) -> str:
    """A face of every expression in every split, with manual annotations."""
    names = [f"{part}.jpg" for part in rafdb_parts()]
    (folder / "EmoLabel").mkdir(parents=True)
    manual = folder / "Annotation" / "manual"
    manual.mkdir(parents=True)
    lines = [f"{name} {i % 7 + 1}" for i, name in enumerate(names)]
    (folder / "EmoLabel" / rafdb.LIST).write_text("\n".join(lines) + "\n")
    for i, name in enumerate(names):
        stem = name.removesuffix(".jpg")
        picture(folder / "Image" / "aligned" / f"{stem}_aligned.jpg", i, 100)
        (manual / f"{stem}_manu_attri.txt").write_text("1\t2\n" * 5 + f"{i % 3}\n2\n4\n")
    return f"rafdb:{folder}"


def rafdb_parts() -> list[str]:
    """Seven names of each split."""
    names = [f"train_{number:05d}" for number in range(1, 400)]
    held = [name for name in names if held_out(f"{name}.jpg", rafdb.ONE_IN)]
    others = [name for name in names if name not in held]
    return [*others[:7], *held[:7], *(f"test_{number:04d}" for number in range(1, 8))]


def empathic(folder: Path, subjects: Iterable[str] = ("ana", "ben", "cem")) -> str:
    """A folder a subject, a folder a label."""
    for number, subject in enumerate(subjects):
        for label in LABELS:
            picture(folder / subject / label / "0001.png", number * 7 + LABELS.index(label))
    return f"empathic:{folder}"


def named(label: str, held: bool, one_in: int) -> str:
    """A file name that the hold-out puts into validation, or leaves in train."""
    names = (f"{number}/{label}.png" for number in range(10_000))
    return next(name for name in names if held_out(name, one_in) == held)


def link(source: Path, target: Path) -> None:
    """The same picture under another name, without a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)

"""What is wrong with the faces is said before the first step, in one line that counts it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from layouts import affectnet_2017, affectnet_table, picture, row

from edge_fer.datasets import open_dataset
from edge_fer.emotions import LABELS
from edge_fer.errors import EdgeFerError
from edge_fer.progress import silent
from edge_fer.training.fit import train
from edge_fer.training.recipe import Architecture, Recipe

TINY = Recipe(Architecture(71, width=0.03, middle_blocks=0))


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    for s, split in enumerate(("train", "validation")):
        for e, label in enumerate(LABELS):
            picture(tmp_path / "data" / split / label / "1.png", 7 * s + e)
    return tmp_path / "data"


def refused(spec: str, tmp_path: Path) -> EdgeFerError:
    with pytest.raises(EdgeFerError) as caught:
        train(open_dataset(spec), TINY, "random", tmp_path / "run", "float32", silent)
    assert not (tmp_path / "run").exists()
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_class_without_faces_is_named(faces: Path, tmp_path: Path) -> None:
    shutil.rmtree(faces / "train" / "disgust")
    error = refused(f"folder:{faces}", tmp_path)
    assert error.exit_code == 65
    assert "train split: no faces of disgust" in str(error)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_pictures_that_are_none_are_counted_and_the_first_is_named(
    faces: Path, tmp_path: Path, split: str
) -> None:
    (faces / split / "fear" / "1.png").write_text("<html>")
    (faces / split / "sad" / "1.png").write_bytes(b"")
    error = refused(f"folder:{faces}", tmp_path)
    assert error.exit_code == 65
    assert f"{split} split: 2 of 7 faces cannot be used, the first: " in str(error)
    assert "is not a readable picture" in str(error)


def test_missing_pictures_and_boxes_outside_them_are_counted(tmp_path: Path) -> None:
    spec = affectnet_2017(tmp_path)
    images = tmp_path / "Manually_Annotated_Images"
    held = [line.split(",")[0] for line in (tmp_path / "training.csv").read_text().split("\n")]
    next(images / name for name in held if "happy" in name).unlink()
    rows = (tmp_path / "training.csv").read_text().replace(",4,4,40,40,", ",99,99,9,9,", 1)
    (tmp_path / "training.csv").write_text(rows)
    assert "faces cannot be used, the first: " in str(refused(spec, tmp_path))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (row("a.png", 11), "expression '11' is out of range"),
        (row("a.png", "happy"), "expression 'happy' is out of range"),
        ("a.png,4,4,40", "the row is cut short"),
        (row("a.png", 1, (4, 4, "x", 40)), "the face box is not four whole numbers"),
    ],
)
def test_a_damaged_row_is_named_by_its_line(tmp_path: Path, line: str, said: str) -> None:
    error = refused(affectnet_table(tmp_path, "training.csv", row("b.png", 1), line), tmp_path)
    assert error.exit_code == 65
    assert "training.csv:3" in str(error)
    assert said in str(error)


def test_faces_that_can_be_read_raise_nothing(rng: np.random.Generator) -> None:
    from edge_fer.datasets.readable import require_readable

    told: list[tuple[int, int]] = []
    samples = open_dataset("synthetic:faces=7").samples("test")
    require_readable(samples, "x", lambda what, done, total, note="": told.append((done, total)))
    assert told == [(7, 7)]

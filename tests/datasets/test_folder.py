"""One's own pictures as a dataset."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_fer.datasets import open_dataset
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NotFound


def write_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))


def write_table(folder: Path, *lines: str) -> str:
    write_picture(folder / "a.png")
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    return f"folder:{folder / 'faces.csv'}"


def test_label_folders_serve_every_split(tmp_path: Path) -> None:
    write_picture(tmp_path / "Happy" / "a.png")
    dataset = open_dataset(f"folder:{tmp_path}")
    for split in ("train", "test"):
        assert [(s.emotion, s.source) for s in dataset.samples(split)] == [
            (Emotion.HAPPY, "Happy/a.png")
        ]


def test_split_folders_are_kept_apart(tmp_path: Path) -> None:
    write_picture(tmp_path / "train" / "happy" / "a.png")
    write_picture(tmp_path / "val" / "angry" / "b.png")
    dataset = open_dataset(f"folder:{tmp_path}")
    assert [s.source for s in dataset.samples("train")] == ["happy/a.png"]
    assert [s.emotion for s in dataset.samples("validation")] == [Emotion.ANGER]
    with pytest.raises(NotFound, match="no test split"):
        dataset.samples("test")


def test_a_table_may_name_splits_and_subjects(tmp_path: Path) -> None:
    spec = write_table(
        tmp_path, "file,label,split,subject", "a.png,sad,train,anna", "a.png,fear,test,"
    )
    train, test = (open_dataset(spec).samples(split) for split in ("train", "test"))
    assert [(s.emotion, s.group) for s in train] == [(Emotion.SAD, "anna")]
    assert [(s.emotion, s.group) for s in test] == [(Emotion.FEAR, None)]


def test_a_table_without_splits_serves_every_split(tmp_path: Path) -> None:
    spec = write_table(tmp_path, "file,label", "a.png,sad")
    assert len(open_dataset(spec).samples("validation")) == 1
    assert open_dataset(spec).samples("train")[0].read().shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("row", "error", "told"),
    [
        ("a.png,bored,train", BadData, r"faces\.csv:2: unknown label 'bored'; known: anger"),
        ("gone.png,sad,train", NotFound, r"faces\.csv:2: .*gone\.png is not there"),
        ("a.png,sad,training-set", BadData, r"faces\.csv:2: unknown split 'training-set'"),
        ("a.png,sad,", BadData, r"faces\.csv:2: the split is empty; name one of train"),
        ("a.png,sad,  ", BadData, r"faces\.csv:2: the split is empty"),
        ("a.png", BadData, r"faces\.csv:2: needs a file and a label"),
    ],
)
def test_a_wrong_row_is_named(row: str, error: type[Exception], told: str, tmp_path: Path) -> None:
    spec = write_table(tmp_path, "file,label,split", row)
    with pytest.raises(error, match=told):
        open_dataset(spec).samples("train")


def test_a_table_without_the_needed_columns_is_refused(tmp_path: Path) -> None:
    spec = write_table(tmp_path, "picture,emotion", "a.png,sad")
    with pytest.raises(BadData, match="must name the columns file and label"):
        open_dataset(spec).samples("train")


def test_a_folder_that_is_no_label_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "holiday" / "a.png")
    with pytest.raises(BadData, match="unknown label 'holiday'"):
        open_dataset(f"folder:{tmp_path}").samples("train")


@pytest.mark.parametrize("path", ["", "/nowhere/at/all"])
def test_a_missing_folder_is_named(path: str) -> None:
    with pytest.raises(NotFound, match=f"folder:{path}"):
        open_dataset(f"folder:{path}")

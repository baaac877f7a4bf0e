"""The three layouts of FER2013."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_fer.datasets import open_dataset
from edge_fer.datasets.fer2013 import COLUMNS, SIDE
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NoSplit, NotFound

PIXELS = " ".join(["7"] * 48 * 48)


def write_challenge(folder: Path, *rows: str) -> str:
    (folder / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return f"fer2013:{folder}"


def test_the_challenge_file_has_its_own_numbers_and_splits(tmp_path: Path) -> None:
    rows = (f"0,{PIXELS},Training", f"3,{PIXELS},PublicTest", f"6,{PIXELS},PrivateTest")
    dataset = open_dataset(write_challenge(tmp_path, *rows))
    found = {split: dataset.samples(split) for split in ("train", "validation", "test")}
    assert [s.emotion for (s,) in found.values()] == [Emotion.ANGER, Emotion.HAPPY, Emotion.NEUTRAL]
    assert found["train"][0].read().shape == (48, 48, 3)


@pytest.mark.parametrize(
    "row",
    [
        "9," + PIXELS,
        "7," + PIXELS,
        "-1," + PIXELS,
        "-7," + PIXELS,
        "0,1 2 3",
        "0," + PIXELS.replace("7", "777"),
    ],
)
def test_a_damaged_row_is_named(row: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"fer2013\.csv:2"):
        open_dataset(write_challenge(tmp_path, f"{row},Training")).samples("train")


@pytest.mark.parametrize("rest", [f"0,{PIXELS}", "0,7 7 7", f"0,{PIXELS},Train"])
def test_a_file_that_is_cut_short_in_its_last_row_is_not_taken_for_whole(
    rest: str, tmp_path: Path
) -> None:
    spec = write_challenge(tmp_path, f"0,{PIXELS},Training", rest)
    with pytest.raises(BadData, match=r"fer2013\.csv:3: Usage is .*cut short"):
        open_dataset(spec).samples("train")


def sheet(folder: Path, faces: int, rows: int) -> str:
    """A sheet with room for `faces` in whole lines of 128, and a CSV of so many rows."""
    lines = -(-faces // COLUMNS)
    cv2.imwrite(str(folder / "train.jpg"), np.full((SIDE * lines, SIDE * COLUMNS), 9, np.uint8))
    named = [f"{n}.png,happy" for n in range(rows)]
    (folder / "train.csv").write_text("\n".join(["file,label", *named]) + "\n")
    return f"fer2013:{folder}"


def test_a_sheet_gives_a_face_for_every_row(tmp_path: Path) -> None:
    samples = open_dataset(sheet(tmp_path, 200, 200)).samples("train")
    assert len(samples) == 200
    assert samples[199].read().shape == (48, 48, 3)


@pytest.mark.parametrize(
    ("faces", "rows", "said"),
    [(200, 300, "the sheet is cut short"), (200, 100, "the CSV is cut short")],
)
def test_a_sheet_and_a_csv_of_different_length_are_refused(
    tmp_path: Path, faces: int, rows: int, said: str
) -> None:
    with pytest.raises(BadData, match=said):
        open_dataset(sheet(tmp_path, faces, rows)).samples("train")


def test_a_sheet_without_its_csv_is_named(tmp_path: Path) -> None:
    spec = sheet(tmp_path, 1, 1)
    (tmp_path / "train.csv").unlink()
    with pytest.raises(NotFound, match=r"train\.csv: no such file"):
        open_dataset(spec).samples("train")


def test_a_csv_without_its_sheet_is_not_a_collection_without_the_split(tmp_path: Path) -> None:
    spec = sheet(tmp_path, 1, 1)
    (tmp_path / "train.jpg").unlink()
    with pytest.raises(NotFound, match=r"train\.jpg: no such file") as caught:
        open_dataset(spec).samples("train")
    assert not isinstance(caught.value, NoSplit)


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(NotFound, match="/nowhere"):
        open_dataset("fer2013:/nowhere")


def test_a_missing_split_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(NoSplit, match=r"has no test split; expected fer2013\.csv"):
        open_dataset(f"fer2013:{tmp_path}").samples("test")


def test_the_real_collection_has_its_published_counts(fer2013_path: Path) -> None:
    dataset = open_dataset(f"fer2013:{fer2013_path}")
    assert len(dataset.samples("validation")) == len(dataset.samples("test")) == 3589
    labels = Counter(sample.emotion.label for sample in dataset.samples("test"))
    assert labels["happy"] == max(labels.values())
    assert labels["disgust"] == min(labels.values())

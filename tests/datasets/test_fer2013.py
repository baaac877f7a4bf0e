"""The three layouts of FER2013."""

from collections import Counter
from pathlib import Path

import pytest

from edge_fer.datasets import open_dataset
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NotFound

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


@pytest.mark.parametrize("row", ["9," + PIXELS, "0,1 2 3", "0," + PIXELS.replace("7", "777")])
def test_a_damaged_row_is_named(row: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"fer2013\.csv:2"):
        open_dataset(write_challenge(tmp_path, f"{row},Training")).samples("train")


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(NotFound, match="/nowhere"):
        open_dataset("fer2013:/nowhere")


def test_a_missing_split_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"has no test split; expected fer2013\.csv"):
        open_dataset(f"fer2013:{tmp_path}").samples("test")


def test_the_real_collection_has_its_published_counts(fer2013_path: Path) -> None:
    dataset = open_dataset(f"fer2013:{fer2013_path}")
    assert len(dataset.samples("validation")) == len(dataset.samples("test")) == 3589
    labels = Counter(sample.emotion.label for sample in dataset.samples("test"))
    assert labels["happy"] == max(labels.values())
    assert labels["disgust"] == min(labels.values())

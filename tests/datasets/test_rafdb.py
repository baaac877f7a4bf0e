"""RAF-DB's list and its aligned faces."""

from pathlib import Path

import pytest
from layouts import picture, rafdb_basic

from edge_fer.datasets import open_dataset, origin_of
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NotFound

LIST = "list_patition_label.txt"


def test_the_collections_own_numbers_start_at_surprise(tmp_path: Path) -> None:
    lines = (f"test_{number:04d}.jpg {number}" for number in range(1, 8))
    (tmp_path / LIST).write_text("\n".join(lines))
    samples = open_dataset(f"rafdb:{tmp_path}").samples("test")
    names = ["surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"]
    assert [sample.emotion.label for sample in samples] == names


def test_validation_is_held_out_of_the_training_set(tmp_path: Path) -> None:
    dataset = open_dataset(rafdb_basic(tmp_path))
    found = {split: len(dataset.samples(split)) for split in ("train", "validation", "test")}
    assert found == {"train": 7, "validation": 7, "test": 7}
    assert origin_of(dataset, "test") == "official test set"


@pytest.mark.parametrize("name", ["test_0001_aligned.jpg", "test_0001.jpg"])
@pytest.mark.parametrize("folder", ["", "aligned", "Image/aligned"])
def test_pictures_are_found_in_either_spelling(name: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / LIST).write_text("test_0001.jpg 4\n")
    picture(tmp_path / folder / name)
    (sample,) = open_dataset(f"rafdb:{tmp_path}").samples("test")
    assert sample.read().shape == (48, 48, 3)


def test_manual_annotations_become_attributes(tmp_path: Path) -> None:
    sample = open_dataset(rafdb_basic(tmp_path)).samples("test")[0]
    told = dict(sample.attributes)
    assert told.keys() == {"gender", "race", "age"}
    assert (told["race"], told["age"]) == ("Asian", "70+")


def test_without_annotations_there_are_no_attributes(tmp_path: Path) -> None:
    (tmp_path / LIST).write_text("test_0001.jpg 4\n")
    (sample,) = open_dataset(f"rafdb:{tmp_path}").samples("test")
    assert (sample.attributes, sample.emotion) == ((), Emotion.HAPPY)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("test_0001.jpg 8", "a label 1 to 7"),
        ("test_0001.jpg 0", "a label 1 to 7"),
        ("face_0001.jpg 1", "expected train_N"),
        ("test_0001.jpg", "the line is cut short"),
        ("test_0001.jpg x", "needs a file and a number"),
    ],
)
def test_a_wrong_line_is_named(line: str, told: str, tmp_path: Path) -> None:
    (tmp_path / LIST).write_text(f"test_0002.jpg 1\n{line}\n")
    with pytest.raises(BadData, match=rf"{LIST}:2: .*{told}"):
        open_dataset(f"rafdb:{tmp_path}").samples("test")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", ": expected five landmarks"),
        ("1\t2\n" * 5, ": expected five landmarks"),
        ("1\t2\n" * 5 + "0\n9\n1\n", ":7: race is '9', expected 0 to 2"),
        ("1\t2\n" * 5 + "-1\n1\n1\n", ":6: gender is '-1', expected 0 to 2"),
        ("1\t2\n" * 5 + "1\n1\nold\n", ":8: age is 'old', expected 0 to 4"),
    ],
)
def test_a_broken_annotation_is_named(content: str, told: str, tmp_path: Path) -> None:
    spec = rafdb_basic(tmp_path)
    (tmp_path / "Annotation" / "manual" / "test_0001_manu_attri.txt").write_text(content)
    with pytest.raises(BadData, match=rf"test_0001_manu_attri\.txt{told}"):
        open_dataset(spec).samples("test")


def test_a_missing_annotation_is_named(tmp_path: Path) -> None:
    spec = rafdb_basic(tmp_path)
    (tmp_path / "Annotation" / "manual" / "test_0001_manu_attri.txt").unlink()
    with pytest.raises(NotFound, match=r"test_0001_manu_attri\.txt: no such annotation"):
        open_dataset(spec).samples("test")


def test_a_missing_picture_is_named_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / LIST).write_text("test_0001.jpg 4\n")
    (sample,) = open_dataset(f"rafdb:{tmp_path}").samples("test")
    with pytest.raises(NotFound, match=r"test_0001\.jpg: no such picture"):
        sample.read()


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_a_folder_without_the_list_is_named(path: str) -> None:
    with pytest.raises(NotFound, match=f"rafdb:{path}: no {LIST} here"):
        open_dataset(f"rafdb:{path}")

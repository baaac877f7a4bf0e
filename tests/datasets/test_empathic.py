"""Empathic: a folder a subject, or a CSV."""

from pathlib import Path

import pytest
from layouts import empathic, picture

from edge_fer.datasets import SPLITS, open_dataset
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NotFound


def table(folder: Path, header: str, *rows: str) -> str:
    for name in ("a", "b", "c"):
        picture(folder / f"{name}.png")
    (folder / "faces.csv").write_text("\n".join([header, *rows]) + "\n")
    return f"empathic:{folder / 'faces.csv'}"


def test_a_folder_a_subject_is_a_group(tmp_path: Path) -> None:
    dataset = open_dataset(empathic(tmp_path))
    groups = {s.group for split in SPLITS for s in dataset.samples(split)}
    assert groups == {"ana", "ben", "cem"}


@pytest.mark.parametrize("count", [3, 4, 10, 40])
def test_no_subject_stands_in_two_splits(count: int, tmp_path: Path) -> None:
    for number in range(count):
        picture(tmp_path / f"s{number}" / "happy" / "1.png")
    dataset = open_dataset(f"empathic:{tmp_path}")
    groups = [{sample.group for sample in dataset.samples(split)} for split in SPLITS]
    assert len(set.union(*groups)) == sum(map(len, groups)) == count
    assert all(groups)


def test_the_expression_may_start_the_file_name(tmp_path: Path) -> None:
    for subject in ("ana", "ben", "cem"):
        for name in ("happy_0001.png", "Sad-2.png", "fear3.png"):
            picture(tmp_path / subject / name)
    found = [s.emotion for s in open_dataset(f"empathic:{tmp_path}").samples("test")]
    assert sorted(found) == [Emotion.HAPPY, Emotion.SAD, Emotion.FEAR]


def test_pictures_may_lie_in_folders_below_a_label(tmp_path: Path) -> None:
    for subject in ("ana", "ben", "cem"):
        picture(tmp_path / subject / "anger" / "clip7" / "0001.png")
    (sample,) = open_dataset(f"empathic:{tmp_path}").samples("test")
    assert (sample.emotion, sample.source.count("/")) == (Emotion.ANGER, 3)


def test_fewer_than_three_subjects_cannot_be_split(tmp_path: Path) -> None:
    spec = empathic(tmp_path, ("ana", "ben"))
    with pytest.raises(BadData, match="2 subjects cannot be split in three"):
        open_dataset(spec).samples("train")


def test_a_table_names_file_label_and_subject(tmp_path: Path) -> None:
    rows = ("a.png,happy,ana", "b.png,sad,ben", "c.png,fear,cem")
    dataset = open_dataset(table(tmp_path, "file,label,subject", *rows))
    found = [sample.group for split in SPLITS for sample in dataset.samples(split)]
    assert sorted(filter(None, found)) == ["ana", "ben", "cem"]


def test_the_splits_of_a_table_are_kept(tmp_path: Path) -> None:
    rows = ("a.png,happy,ana,train", "b.png,sad,ben,test")
    dataset = open_dataset(table(tmp_path, "file,label,subject,split", *rows))
    assert [sample.group for sample in dataset.samples("test")] == ["ben"]


def test_further_columns_of_a_table_become_attributes(tmp_path: Path) -> None:
    spec = table(tmp_path, "file,label,subject,split,age,gender", "a.png,sad,ana,test,64,female")
    (sample,) = open_dataset(spec).samples("test")
    assert sample.attributes == (("age", "64"), ("gender", "female"))


@pytest.mark.parametrize(
    ("rows", "error", "told"),
    [
        (("a.png,happy,ana", "b.png,sad"), BadData, r"csv:3: needs a .* subject; the row is cut"),
        (("a.png,bored,ana",), BadData, r"csv:2: unknown label 'bored'"),
        (("gone.png,sad,ana",), NotFound, r"csv:2: .*gone\.png is not there"),
    ],
)
def test_a_wrong_row_is_named(
    rows: tuple[str, ...], error: type[Exception], told: str, tmp_path: Path
) -> None:
    others = ("b.png,sad,ben", "c.png,fear,cem")
    dataset = open_dataset(table(tmp_path, "file,label,subject", *rows, *others))
    with pytest.raises(error, match=told):
        [dataset.samples(split) for split in SPLITS]


def test_a_table_without_subjects_is_refused(tmp_path: Path) -> None:
    spec = table(tmp_path, "file,label", "a.png,happy")
    with pytest.raises(BadData, match="must name the columns file and label and subject"):
        open_dataset(spec).samples("train")


def test_an_unknown_expression_is_named(tmp_path: Path) -> None:
    for subject in ("ana", "ben", "cem"):
        picture(tmp_path / subject / "calm" / "1.png")
    with pytest.raises(BadData, match="unknown label 'calm'"):
        open_dataset(f"empathic:{tmp_path}").samples("test")


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_a_missing_folder_is_named(path: str) -> None:
    with pytest.raises(NotFound, match=f"empathic:{path}: no such file or folder"):
        open_dataset(f"empathic:{path}")

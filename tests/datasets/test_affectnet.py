"""AffectNet's two layouts, on collections of a few drawn faces."""

from pathlib import Path

import numpy as np
import pytest
from layouts import HEADER, affectnet_2017, affectnet_later, affectnet_table, link, picture, row

from edge_fer.datasets import dropped_of, open_dataset, origin_of
from edge_fer.datasets.faces import face_of
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NotFound
from edge_fer.types import Box

PLACES = ("", "Manually_Annotated_file_lists", "Manually_Annotated/Manually_Annotated_file_lists")


def test_expressions_keep_their_numbers(tmp_path: Path) -> None:
    rows = [row(f"{i}.png", i) for i in range(7)]
    dataset = open_dataset(affectnet_table(tmp_path, "validation.csv", *rows))
    assert [sample.emotion for sample in dataset.samples("test")] == list(Emotion)


def test_what_is_none_of_the_seven_is_dropped_and_counted(tmp_path: Path) -> None:
    rows = [row("a.png", 0), *(row(f"{i}.png", label) for i, label in enumerate((7, 8, 9, 10, 7)))]
    dataset = open_dataset(affectnet_table(tmp_path, "validation.csv", *rows))
    assert len(dataset.samples("test")) == 1
    counted = {"contempt": 2, "none": 1, "uncertain": 1, "no face": 1}
    assert dropped_of(dataset, "test") == counted
    assert dropped_of(dataset, "train") == {}


def test_a_dropped_row_needs_no_face_box(tmp_path: Path) -> None:
    rows = [row("a.png", 10, ("NULL",) * 4)]
    dataset = open_dataset(affectnet_table(tmp_path, "validation.csv", *rows))
    assert list(dataset.samples("test")) == []


def test_a_face_without_a_box_is_dropped_and_counted(tmp_path: Path) -> None:
    rows = [row("a.png", 0, (-1, -1, -1, -1))]
    dataset = open_dataset(affectnet_table(tmp_path, "validation.csv", *rows))
    assert list(dataset.samples("test")) == []
    assert dropped_of(dataset, "test") == {"no face box": 1}


def test_the_face_is_cut_at_its_box(tmp_path: Path) -> None:
    spec = affectnet_table(tmp_path, "validation.csv", row("1/a.png", 1, (10, 12, 20, 20)))
    picture(tmp_path / "Manually_Annotated_Images" / "1" / "a.png")
    (sample,) = open_dataset(spec).samples("test")
    assert sample.box == Box(10, 12, 30, 32)
    assert np.array_equal(face_of(sample, 20), sample.read()[12:32, 10:30])


def test_the_official_validation_set_is_the_test_split(tmp_path: Path) -> None:
    dataset = open_dataset(affectnet_2017(tmp_path))
    assert len(dataset.samples("test")) == 14
    assert origin_of(dataset, "test") == "official validation set"


def test_validation_is_held_out_of_the_training_set(tmp_path: Path) -> None:
    dataset = open_dataset(affectnet_2017(tmp_path))
    train, held = ({s.source for s in dataset.samples(split)} for split in ("train", "validation"))
    assert (len(train), len(held), train & held) == (7, 7, set())


@pytest.mark.parametrize("place", PLACES)
def test_the_lists_may_lie_where_the_archives_put_them(place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "validation.csv").write_text(f"{HEADER}\n{row('1/a.png', 3)}\n")
    assert len(open_dataset(f"affectnet:{tmp_path}").samples("test")) == 1


def test_a_list_without_a_line_of_names_is_read_in_the_published_order(tmp_path: Path) -> None:
    spec = affectnet_table(tmp_path, "validation.csv", row("a.png", 3), row("b.png", 4), header="")
    found = [sample.emotion for sample in open_dataset(spec).samples("test")]
    assert found == [Emotion.SURPRISE, Emotion.FEAR]


def test_columns_of_age_and_gender_become_attributes(tmp_path: Path) -> None:
    spec = affectnet_table(
        tmp_path, "validation.csv", row("a.png", 3) + ",31,female", header=HEADER + ",age,gender"
    )
    (sample,) = open_dataset(spec).samples("test")
    assert sample.attributes == (("age", "31"), ("gender", "female"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (row("a.png", 11), r"csv:2: expression '11' is out of range"),
        (row("a.png", -1), r"csv:2: expression '-1' is out of range"),
        (row("a.png", "happy"), r"csv:2: expression 'happy' is out of range"),
        (row("a.png", 1, ("x", 1, 1, 1)), r"csv:2: the face box is not four whole numbers"),
        ("a.png,4,4,40,40,1;2", r"csv:2: needs a .* and an expression; the row is cut short"),
        (row("a.png", 1).rpartition(",")[0], r"csv:2: .*the row is cut short"),
        (row("a.png", 1) + ",9", r"csv:2: has more fields than the first line"),
    ],
)
def test_a_wrong_row_is_named(line: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=told):
        open_dataset(affectnet_table(tmp_path, "validation.csv", line)).samples("test")


def test_a_list_without_the_needed_columns_is_refused(tmp_path: Path) -> None:
    spec = affectnet_table(tmp_path, "validation.csv", "a.png,1", header="expression,file")
    with pytest.raises(BadData, match="must name the columns subDirectory_filePath and expression"):
        open_dataset(spec).samples("test")


def test_a_list_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "validation.csv").write_bytes(b"\xff\xfe\x00\x01" * 9)
    with pytest.raises(BadData, match=r"validation\.csv: is not a CSV"):
        open_dataset(f"affectnet:{tmp_path}").samples("test")


def test_a_missing_picture_is_named_when_it_is_read(tmp_path: Path) -> None:
    spec = affectnet_table(tmp_path, "validation.csv", row("1/gone.jpg", 1))
    (sample,) = open_dataset(spec).samples("test")
    with pytest.raises(NotFound, match=r"Images/1/gone\.jpg: no such picture"):
        sample.read()


def test_a_picture_that_is_none_is_named_when_it_is_read(tmp_path: Path) -> None:
    spec = affectnet_table(tmp_path, "validation.csv", row("a.jpg", 1))
    (tmp_path / "Manually_Annotated_Images" / "a.jpg").write_text("404 Not Found")
    (sample,) = open_dataset(spec).samples("test")
    with pytest.raises(BadData, match=r"a\.jpg: is not a readable picture"):
        sample.read()


def test_a_box_outside_its_picture_is_named_when_it_is_cut(tmp_path: Path) -> None:
    spec = affectnet_table(tmp_path, "validation.csv", row("a.png", 1, (500, 500, 9, 9)))
    picture(tmp_path / "Manually_Annotated_Images" / "a.png")
    (sample,) = open_dataset(spec).samples("test")
    with pytest.raises(BadData, match=r"a\.png: box .* lies outside the 48x48 image"):
        face_of(sample, 48)


@pytest.mark.parametrize("labels", [range(9), [str(n) for n in range(9)]])
def test_the_later_layout_is_read_with_numbers_or_text(
    labels: list[object], tmp_path: Path
) -> None:
    dataset = open_dataset(affectnet_later(tmp_path, "val_set", labels))
    samples = dataset.samples("test")
    assert [sample.emotion for sample in samples] == list(Emotion)
    assert dropped_of(dataset, "test") == {"contempt": 1, "none": 1}
    assert samples[0].box is None
    assert samples[0].read().shape == (48, 48, 3)


def test_the_later_layout_holds_validation_out_of_train_set(tmp_path: Path) -> None:
    dataset = open_dataset(affectnet_later(tmp_path, "train_set", [0] * 200))
    train, held = ({s.source for s in dataset.samples(split)} for split in ("train", "validation"))
    assert (len(train | held), train & held) == (200, set())
    assert held


def test_a_label_out_of_range_is_named_in_the_later_layout(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"0_exp\.npy: expression '12' is out of range"):
        open_dataset(affectnet_later(tmp_path, "val_set", [12])).samples("test")


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"7"])
def test_a_broken_annotation_is_named(content: bytes, tmp_path: Path) -> None:
    spec = affectnet_later(tmp_path, "val_set", [1])
    (tmp_path / "val_set" / "annotations" / "0_exp.npy").write_bytes(content)
    with pytest.raises(BadData, match=r"0_exp\.npy: is not an annotation"):
        open_dataset(spec).samples("test")


def test_a_pickled_annotation_runs_no_code(tmp_path: Path) -> None:
    spec = affectnet_later(tmp_path, "val_set", [1])
    path = tmp_path / "val_set" / "annotations" / "0_exp.npy"
    np.save(path, np.array({"a": 1}, object), allow_pickle=True)
    with pytest.raises(BadData, match="is not an annotation"):
        open_dataset(spec).samples("test")


def test_a_later_layout_without_annotations_is_refused(tmp_path: Path) -> None:
    (tmp_path / "val_set" / "images").mkdir(parents=True)
    with pytest.raises(NotFound, match="annotations: no such folder"):
        open_dataset(f"affectnet:{tmp_path}").samples("test")


def test_a_folder_of_neither_layout_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"has no train split; expected training\.csv or train_set/"):
        open_dataset(f"affectnet:{tmp_path}").samples("train")


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_a_missing_folder_is_named(path: str) -> None:
    with pytest.raises(NotFound, match=f"affectnet:{path}: no such folder"):
        open_dataset(f"affectnet:{path}")


def test_pictures_are_opened_only_when_they_are_read(tmp_path: Path) -> None:
    """Twenty thousand rows of pictures that are not there open in a moment."""
    rows = [row(f"{i}.jpg", i % 11) for i in range(20_000)]
    dataset = open_dataset(affectnet_table(tmp_path, "validation.csv", *rows))
    assert len(dataset.samples("test")) == sum(i % 11 < 7 for i in range(20_000))


def test_hard_links_of_one_picture_are_faces_of_their_own(tmp_path: Path) -> None:
    images = tmp_path / "Manually_Annotated_Images"
    spec = affectnet_table(tmp_path, "validation.csv", row("a.png", 1), row("b.png", 2))
    link(picture(images / "a.png"), images / "b.png")
    assert [s.source for s in open_dataset(spec).samples("test")] == ["a.png", "b.png"]

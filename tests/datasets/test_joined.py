"""Several datasets as one."""

from pathlib import Path

import pytest
from layouts import affectnet_later, empathic, picture

from edge_fer.datasets import (
    dropped_of,
    missing_classes,
    open_dataset,
    origin_of,
    require_all_seven,
)
from edge_fer.datasets.faces import schemes
from edge_fer.errors import BadData, ConfigError, NotFound


def test_a_joined_spec_has_the_faces_of_its_parts_in_order(tmp_path: Path) -> None:
    spec = f"synthetic:faces=7+{empathic(tmp_path)}"
    parts = [open_dataset(part).samples("test") for part in ("synthetic:faces=7", spec[18:])]
    joined = open_dataset(spec).samples("test")
    assert [s.emotion for s in joined] == [s.emotion for part in parts for s in part]


def test_equal_names_and_subjects_of_two_parts_stay_apart(tmp_path: Path) -> None:
    spec = empathic(tmp_path)
    samples = open_dataset(f"{spec}+{spec}").samples("test")
    assert len({sample.source for sample in samples}) == len(samples) == 14
    assert len({sample.group for sample in samples}) == 2
    assert samples[0].source.startswith("1-empathic/")


def test_a_plus_sign_in_a_path_is_no_joint(tmp_path: Path) -> None:
    picture(tmp_path / "a+b" / "happy" / "1.png")
    assert len(open_dataset(f"folder:{tmp_path / 'a+b'}").samples("train")) == 1


def test_the_kinds_of_a_joined_spec_are_told_without_paths() -> None:
    assert schemes("affectnet:/a+b+fer2013:/c") == "affectnet+fer2013"


def test_dropped_rows_of_the_parts_are_added(tmp_path: Path) -> None:
    specs = [affectnet_later(tmp_path / name, "val_set", [0, 7, 8]) for name in ("a", "b")]
    dataset = open_dataset("+".join(specs))
    dataset.samples("test")
    assert dropped_of(dataset, "test") == {"contempt": 2, "none": 2}
    assert origin_of(dataset, "test") == "official validation set"


def test_a_part_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="empathic:/nowhere"):
        open_dataset("synthetic:+empathic:/nowhere")


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown dataset ''"):
        open_dataset("+synthetic:")


def test_absent_expressions_are_named(tmp_path: Path) -> None:
    picture(tmp_path / "happy" / "1.png")
    samples = open_dataset(f"folder:{tmp_path}").samples("train")
    assert missing_classes(samples) == ["neutral", "sad", "surprise", "fear", "disgust", "anger"]
    with pytest.raises(BadData, match="folds: no faces of neutral, sad"):
        require_all_seven(samples, "folds")

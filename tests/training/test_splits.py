"""Validation faces never train: not even of data that have no splits."""

from pathlib import Path

import pytest
from layouts import link, picture

from edge_fer.datasets import open_dataset
from edge_fer.datasets.faces import classes_of
from edge_fer.emotions import LABELS
from edge_fer.errors import BadData, ConfigError
from edge_fer.progress import silent
from edge_fer.training.fit import train
from edge_fer.training.recipe import Architecture, Recipe
from edge_fer.training.splits import Splits, splits_of

EACH = 10
UNTRAINED = Recipe(Architecture(71, width=0.03, middle_blocks=0), head_epochs=0, epochs=0)


@pytest.fixture
def unsplit(tmp_path: Path) -> str:
    """Class folders; one picture has nine copies."""
    for e, label in enumerate(LABELS):
        for n in range(EACH):
            picture(tmp_path / "data" / label / f"{n}.png", EACH * e + n)
    for n in range(9):
        first = tmp_path / "data" / LABELS[0] / "0.png"
        link(first, tmp_path / "data" / LABELS[0] / f"copy{n}.png")
    return f"folder:{tmp_path / 'data'}"


def drawn(spec: str) -> Splits:
    return splits_of(open_dataset(spec), known=False, progress=silent)


def pixels(samples: list) -> set[bytes]:
    return {sample.read().tobytes() for sample in samples}


def test_a_tenth_of_each_class_is_held_out_and_no_copy_of_it_trains(unsplit: str) -> None:
    found = drawn(unsplit)
    assert not pixels(found.train) & pixels(found.validation)
    assert len(pixels(found.train)) + len(pixels(found.validation)) == len(LABELS) * EACH
    assert set(classes_of(found.validation)) == set(range(7))
    assert len(found.validation) in (7, 8)
    assert "no duplicate group on both sides" in str(found.drawn)
    assert [s.source for s in drawn(unsplit).validation] == [s.source for s in found.validation]


def test_the_record_tells_of_faces_that_did_not_train(unsplit: str, tmp_path: Path) -> None:
    made = train(open_dataset(unsplit), UNTRAINED, "random", tmp_path / "r", "float32", silent)
    data = made.data
    assert data["train"]["faces"] + data["validation"]["faces"] == len(LABELS) * EACH + 9
    assert data["validation"]["drawn"] == drawn(unsplit).drawn
    assert made.metrics["validation"]["faces"] == data["validation"]["faces"]


def test_splits_of_the_data_are_kept() -> None:
    found = drawn("synthetic:faces=14")
    assert found.drawn is None
    assert [len(found.train), len(found.validation)] == [14, 14]


def test_data_of_which_only_a_part_has_splits_are_refused(unsplit: str) -> None:
    with pytest.raises(ConfigError, match="data: has no splits, and what it is joined to has"):
        drawn(f"synthetic:faces=14+{unsplit}")
    assert drawn(f"{unsplit}+{unsplit}").drawn


def test_an_expression_with_one_picture_is_left_to_train(unsplit: str, tmp_path: Path) -> None:
    for n in range(1, EACH):
        (tmp_path / "data" / "fear" / f"{n}.png").unlink()
    assert 4 in classes_of(drawn(unsplit).train)
    (tmp_path / "data" / "fear" / "0.png").unlink()
    with pytest.raises(BadData, match="no faces of fear"):
        drawn(unsplit)

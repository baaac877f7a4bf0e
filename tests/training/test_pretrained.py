"""The shipped checkpoint is what its card says."""

import json

import numpy as np
import pytest

from edge_fer.emotions import LABELS
from edge_fer.training.card import card
from edge_fer.training.checkpoint import RECORD, SHIPPED, WEIGHTS, Checkpoint

CURVES = "step,phase,loss,accuracy,validation_accuracy,faces_per_s\n"


@pytest.fixture(scope="module")
def shipped() -> Checkpoint:
    return Checkpoint.load(SHIPPED)


def test_it_is_the_whole_published_architecture(shipped: Checkpoint) -> None:
    assert (shipped.recipe.architecture.width, shipped.recipe.architecture.middle_blocks) == (1, 8)
    assert sum(values.size for values in shipped.weights.values()) == 20_875_823


def test_it_is_small_enough_to_ship() -> None:
    assert (SHIPPED / WEIGHTS).stat().st_size <= 43_000_000


def test_its_weights_are_float16_numbers(shipped: Checkpoint) -> None:
    for values in shipped.weights.values():
        assert (values == values.astype(np.float16).astype(np.float32)).all()


def test_its_record_names_no_path() -> None:
    record = json.loads((SHIPPED / RECORD).read_text())
    assert "/" not in json.dumps(record["data"])
    assert record["data"]["train"]["faces"] == 28_709


def test_its_card_holds_the_measured_figures(shipped: Checkpoint) -> None:
    text = (SHIPPED / "README.md").read_text()
    for split in ("validation", "test", "test_without_training_duplicates"):
        figures = shipped.metrics[split]
        low, high = figures["accuracy_95"]
        assert f"{figures['accuracy']:.2%} [{low:.2%}, {high:.2%}]" in text
    for label in LABELS:
        assert f"{shipped.metrics['test']['recall'][label]:.1%}" in text


def test_its_card_was_written_by_the_program(shipped: Checkpoint) -> None:
    written = card(shipped, CURVES).splitlines()
    text = (SHIPPED / "README.md").read_text().splitlines()
    assert set(written) <= set(text)


def test_it_meets_the_accuracy_that_was_asked(shipped: Checkpoint) -> None:
    assert shipped.metrics["test"]["faces"] == 3589
    assert shipped.metrics["test"]["accuracy"] >= 0.70

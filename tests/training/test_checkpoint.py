"""A checkpoint is a folder that runs no code and refuses what was altered."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge_fer.errors import CheckpointError, NotFound
from edge_fer.training.checkpoint import RECORD, WEIGHTS, Checkpoint
from edge_fer.training.recipe import Architecture, Recipe


@pytest.fixture
def checkpoint(rng: np.random.Generator) -> Checkpoint:
    weights = {"head/kernel": rng.normal(size=(4, 7)).astype(np.float32)}
    return Checkpoint(weights, Recipe(Architecture(size=80)), 1.25, 0.4, metrics={"x": 1})


def test_it_reads_back_what_was_saved(tmp_path: Path, checkpoint: Checkpoint) -> None:
    checkpoint.save(tmp_path / "c")
    loaded = Checkpoint.load(tmp_path / "c")
    assert loaded.recipe == checkpoint.recipe
    assert (loaded.temperature, loaded.metrics) == (1.25, {"x": 1})
    assert (loaded.weights["head/kernel"] == checkpoint.weights["head/kernel"]).all()
    assert loaded.sha256 == checkpoint.sha256


def test_half_precision_halves_the_file(tmp_path: Path, checkpoint: Checkpoint) -> None:
    for half in (False, True):
        checkpoint.save(tmp_path / str(half), half)
    sizes = [(tmp_path / str(half) / WEIGHTS).stat().st_size for half in (False, True)]
    assert sizes[0] - sizes[1] >= 4 * 7 * 2 - 8
    halved = Checkpoint.load(tmp_path / "True").weights["head/kernel"]
    assert halved.dtype == np.float32
    assert np.allclose(halved, checkpoint.weights["head/kernel"], rtol=1e-3)


def test_one_flipped_bit_is_refused(tmp_path: Path, checkpoint: Checkpoint) -> None:
    checkpoint.save(tmp_path / "c")
    content = bytearray((tmp_path / "c" / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (tmp_path / "c" / WEIGHTS).write_bytes(content)
    with pytest.raises(CheckpointError, match="altered or damaged"):
        Checkpoint.load(tmp_path / "c")


def test_nan_weights_are_named(tmp_path: Path, checkpoint: Checkpoint) -> None:
    checkpoint.weights["head/kernel"][1, 1] = np.nan
    checkpoint.save(tmp_path / "c")
    with pytest.raises(CheckpointError, match="head/kernel holds NaN"):
        Checkpoint.load(tmp_path / "c")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": ["happy"]}, "edge-fer needs neutral"),
        ({"schema": "other/1"}, "not an edge-fer/checkpoint/1"),
        ({"recipe": {"epochs": 3}}, "architecture"),
        ({"recipe": {"architecture": {"size": 72}, "epoch": 3}}, "epoch"),
        ({"temperature": None}, "NoneType"),
        ({"temperature": "warm"}, "warm"),
        ({"temperature": -2}, "temperature is -2"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": 2.5}, "was changed after training"),
        ({"abstain_below": 5}, "abstain_below is 5"),
        ({"weights": {}}, "sha256"),
    ],
)
def test_a_wrong_record_is_named(
    tmp_path: Path, checkpoint: Checkpoint, change: dict[str, object], said: str
) -> None:
    checkpoint.save(tmp_path / "c")
    record = json.loads((tmp_path / "c" / RECORD).read_text())
    (tmp_path / "c" / RECORD).write_text(json.dumps({**record, **change}))
    with pytest.raises(CheckpointError, match=said):
        Checkpoint.load(tmp_path / "c")


def test_an_empty_folder_says_how_to_make_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="edge-fer train"):
        Checkpoint.load(tmp_path)


def test_missing_weights_are_named(tmp_path: Path, checkpoint: Checkpoint) -> None:
    checkpoint.save(tmp_path / "c")
    (tmp_path / "c" / WEIGHTS).unlink()
    with pytest.raises(NotFound, match=WEIGHTS):
        Checkpoint.load(tmp_path / "c")


def test_another_temperature_is_another_model(checkpoint: Checkpoint) -> None:
    other = Checkpoint(checkpoint.weights, checkpoint.recipe, 1.3)
    assert other.sha256 != checkpoint.sha256


def test_saving_leaves_what_else_is_in_the_folder(tmp_path: Path, checkpoint: Checkpoint) -> None:
    (tmp_path / "curves.csv").write_text("kept")
    checkpoint.save(tmp_path)
    assert (tmp_path / "curves.csv").read_text() == "kept"

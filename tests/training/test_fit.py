"""A small network is trained for real: it learns, and a killed run loses nothing."""

import csv
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edge_fer.datasets import open_dataset
from edge_fer.errors import CheckpointError, ConfigError, Refused
from edge_fer.progress import silent
from edge_fer.training import fit, state
from edge_fer.training import run as running
from edge_fer.training.checkpoint import RECORD, Checkpoint, weights_of
from edge_fer.training.model import build
from edge_fer.training.phases import Phase, one_cycle
from edge_fer.training.recipe import Architecture, Recipe
from edge_fer.training.run import Run
from edge_fer.training.setting import Setting

SMALL = Recipe(
    Architecture(size=71, width=0.05, middle_blocks=0),
    head_epochs=1, epochs=2, batch=14, rate=3e-3,
)  # fmt: skip
DATA = "synthetic:faces=56"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 2)


def run(out: Path, recipe: Recipe = SMALL) -> Checkpoint:
    return fit.train(open_dataset(DATA), recipe, "random", out, "float32", silent)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "CHUNK", 2)
        run(out)
    return out


class Killed(Exception):
    """Stands for a power cut between two saved states."""


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, uninterrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the second phase, just before the work of some steps would have been saved."""
    whole = state.save
    calls = 0

    def killed(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise Killed
        whole(*arguments)

    monkeypatch.setattr(state, "save", killed)
    with pytest.raises(Killed):
        run(tmp_path / "r")
    keras.backend.clear_session()
    resumed, wanted = run(tmp_path / "r"), Checkpoint.load(uninterrupted)
    for name, values in wanted.weights.items():
        assert np.array_equal(resumed.weights[name], values), name


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"epochs": 1, "head_epochs": 0, "rate": 1e37}, r"all layers, steps \d to \d: .*--rate \("),
        ({"head_rate": 1e37}, r"head, steps \d to \d: .*--set head_rate="),
    ],
)
def test_a_run_that_diverges_is_refused_and_saves_nothing_more(
    tmp_path: Path, asked: dict[str, float], told: str
) -> None:
    with pytest.raises(Refused, match=told) as caught:
        run(tmp_path / "r", replace(SMALL, **asked))
    assert "\n" not in str(caught.value)
    first = re.search(r"steps (\d+) to", str(caught.value))
    saved = state.load_record(tmp_path / "r" / state.NAME)
    assert first
    assert int(first[1]) == (saved["done"] if saved else 0) + 1
    assert not (tmp_path / "r" / RECORD).exists()


def test_the_curves_hold_every_step_once(uninterrupted: Path) -> None:
    with (uninterrupted / "curves.csv").open() as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    assert steps == [2, 4, 6, 8, 10, 12]
    assert (uninterrupted / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_record_names_data_and_figures(uninterrupted: Path) -> None:
    made = Checkpoint.load(uninterrupted)
    assert made.data["train"]["faces"] == 56
    assert made.metrics["validation"]["faces"] == 56
    assert made.made["init"] == "random"
    assert made.recipe == SMALL


def test_another_recipe_in_the_same_folder_is_refused(uninterrupted: Path) -> None:
    with pytest.raises(CheckpointError, match="of a run with another recipe; choose another --out"):
        run(uninterrupted, replace(SMALL, seed=9))


def drawn(folder: Path, seed: int) -> str:
    """An untrained checkpoint to begin with."""
    keras.utils.set_random_seed(seed)
    Checkpoint(weights_of(build(SMALL.architecture)), SMALL).save(folder)
    return str(folder)


def whole_run(folder: Path, init: str, **asked: str) -> Run:
    """No step is left to do: only what the run is decides whether it goes on."""
    dataset = open_dataset("synthetic:faces=7")
    train = dataset.samples("train")
    held_out = dataset.samples(asked.get("held_out", "validation"))
    recipe = replace(SMALL, head_epochs=0, epochs=0)
    setting = Setting(recipe, init, asked.get("precision", "float32"))
    return Run(train, held_out, setting, folder, silent)


def test_another_start_precision_or_validation_is_another_run(tmp_path: Path) -> None:
    init, other = drawn(tmp_path / "a", 1), drawn(tmp_path / "b", 2)
    first, kept = whole_run(tmp_path, init), tmp_path / state.NAME
    first.go()
    state.save(kept, first.model, None, first._record(0))
    shutil.copytree(tmp_path / "a", tmp_path / "moved")
    whole_run(tmp_path, str(tmp_path / "moved")).go()
    for asked, told in (
        (whole_run(tmp_path, other), "another --init;"),
        (whole_run(tmp_path, "random"), "another --init;"),
        (whole_run(tmp_path, init, precision="mixed_bfloat16"), "another --precision;"),
        (whole_run(tmp_path, init, held_out="test"), "another validation faces;"),
    ):
        with pytest.raises(CheckpointError, match=told):
            asked.go()


def test_the_state_of_an_earlier_version_still_goes_on(tmp_path: Path) -> None:
    first = whole_run(tmp_path, drawn(tmp_path / "a", 1))
    first.go()
    old = {key: first._record(0)[key] for key in ("recipe", "train", "teacher", "start", "done")}
    state.save(tmp_path / state.NAME, first.model, None, old)
    again = whole_run(tmp_path, "random")
    again.go()
    assert again.start == first.start


def test_a_checkpoint_is_not_trained_onto_itself(tmp_path: Path) -> None:
    init = drawn(tmp_path / "a", 1)
    with pytest.raises(ConfigError, match="--init and --out are one folder"):
        fit.train(open_dataset(DATA), SMALL, init, tmp_path / "a", "float32", silent)


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / state.NAME).write_text("{")
    with pytest.raises(CheckpointError, match=r"state\.safetensors: cannot be read"):
        run(tmp_path)


def test_the_state_of_an_earlier_version_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with pytest.raises(CheckpointError, match="a run of an earlier version"):
        run(tmp_path)


def test_the_rate_rises_then_falls_to_zero() -> None:
    schedule = one_cycle(Phase("all", 0, 100, 1.0, whole=True), 0.2)
    rates = [float(schedule(step)) for step in (0, 10, 20, 60, 100)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(1.0)
    assert rates[2] > rates[3] > rates[4]
    assert rates[4] == pytest.approx(0, abs=1e-6)

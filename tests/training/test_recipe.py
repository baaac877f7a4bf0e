"""Recipes: defaults, files, the command line, and those of older checkpoints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_fer.errors import BadData, ConfigError, NotFound
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.recipe import ADDED_LATER, Architecture, Recipe
from edge_fer.training.recipe_file import recipe_from, with_settings


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text('epochs = 30\nema = 0.999\n[architecture]\nsize = 96\ncolour = "bgr"\n')
    wanted = replace(Recipe(), epochs=30, ema=0.999, architecture=Architecture(96, "bgr"))
    assert recipe_from(file) == wanted


def test_without_a_file_it_is_the_default_one() -> None:
    assert recipe_from(None) == Recipe()


def test_a_checkpoint_gives_its_own(tmp_path: Path) -> None:
    used = replace(Recipe(), mixup=0.7)
    Checkpoint({"head/kernel": np.zeros((1, 7), np.float32)}, used).save(tmp_path / "c")
    assert recipe_from(tmp_path / "c") == used


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("epoch = 3", ConfigError, "unknown key 'epoch'"),
        ("epochs = '3'", ConfigError, "epochs is '3', expected like 6.0"),
        ("batch = 1.5", ConfigError, "batch is 1.5"),
        ("flip = true", ConfigError, "flip is True"),
        ("dropout = 1.0", ConfigError, "dropout is 1.0, expected less than 1"),
        ("rate = nan", ConfigError, "rate is nan"),
        ("architecture = 3", ConfigError, "is a table of size"),
        ("[architecture]\nsize = 12", ConfigError, "at least 71"),
        ("[architecture]\ndepth = 12", ConfigError, "unknown key 'depth'"),
        ("epochs: 3", BadData, "not a TOML file"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(
    tmp_path: Path, text: str, error: type[Exception], said: str
) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(error, match=rf"r\.toml.*{said}"):
        recipe_from(tmp_path / "r.toml")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"r\.toml: no such recipe"):
        recipe_from(tmp_path / "r.toml")


def test_settings_reach_the_recipe_and_its_architecture() -> None:
    changed = with_settings(Recipe(), "mixup=0.4, width=0.5,seed=3")
    assert changed == replace(Recipe(), mixup=0.4, seed=3, architecture=Architecture(width=0.5))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("mix=1", "unknown option 'mix'"),
        ("mixup=much", "mixup is a number"),
        ("architecture=1", "name a field of the architecture"),
        ("size=9", "at least 71"),
        ("coverage=0", "coverage is 0"),
        ("ema=1", "ema is 1"),
        ("batch=0", "batch is 0"),
        ("distil_temperature=0", "distil_temperature is 0"),
        ("degrade=1.5", "degrade is 1.5, expected at most 1"),
    ],
)
def test_a_wrong_setting_is_one_line(settings: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        with_settings(Recipe(), settings)


def test_an_older_checkpoint_was_trained_without_what_came_later() -> None:
    record = Recipe().to_json()
    for name in ADDED_LATER:
        del record[name]
    old = Recipe.from_json(record)
    assert (old.degrade, old.mixup, old.ema, old.coverage) == (0, 0, 0, 0.9)
    assert Recipe.from_json(old.to_json()) == old

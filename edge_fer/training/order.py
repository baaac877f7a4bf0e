"""What a training is asked for, put together: recipe, initial weights, teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_fer.errors import ConfigError
from edge_fer.training.checkpoint import SHIPPED, Checkpoint
from edge_fer.training.recipe import Recipe
from edge_fer.training.recipe_file import recipe_from, with_settings, with_values

IMAGENET = "imagenet"


@dataclass(frozen=True, slots=True)
class Asked:
    """As the command line has it; None where nothing was said."""

    recipe: Path | None
    settings: str
    values: Mapping[str, Any]
    """Fields of the recipe and of its architecture."""
    init: str | None
    precision: str
    student: float | None
    """Width of a network that learns from a teacher."""
    teacher: Path | None


@dataclass(frozen=True, slots=True)
class Work:
    """With nothing left open."""

    recipe: Recipe
    init: str
    precision: str
    teacher: Path | None


def settle(asked: Asked) -> Work:
    """Fill in what was not said; raises ConfigError, NotFound or CheckpointError.

    Later words win: the recipe's file, then single options, then `--set`. A student sees what its
    teacher sees, and starts from its strongest channels, without a phase of the head. A network of
    full size may have a teacher too, whose answers are then asked once.
    """
    recipe, init, teacher = recipe_from(asked.recipe), asked.init, asked.teacher
    if asked.student is not None:
        teacher = teacher or SHIPPED
        recipe = _of_student(recipe, asked.student, Checkpoint.load(teacher))
        init = init or str(teacher)
    recipe = with_settings(with_values(recipe, asked.values), asked.settings)
    if asked.student is None and teacher is not None and recipe.distil_faces != "plain":
        raise ConfigError(
            "--teacher is for a student: add --student 0.5; a network of full size learns from "
            "answers that were given once: add --set distil_faces=plain"
        )
    return Work(recipe, init or IMAGENET, asked.precision, teacher)


def _of_student(recipe: Recipe, width: float, teacher: Checkpoint) -> Recipe:
    seen = teacher.recipe.architecture
    architecture = replace(recipe.architecture, size=seen.size, colour=seen.colour, width=width)
    return replace(recipe, architecture=architecture, head_epochs=0)

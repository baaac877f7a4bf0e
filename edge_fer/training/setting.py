"""What decides a training run, and whether a saved state is of the run that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edge_fer.datasets import list_hash
from edge_fer.errors import CheckpointError
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.initial import identity
from edge_fer.training.recipe import Recipe
from edge_fer.types import Sample

WORDS = MappingProxyType(
    {
        "recipe": "recipe",
        "train": "training faces",
        "held_out": "validation faces",
        "teacher": "teacher",
        "init": "--init",
        "precision": "--precision",
    }
)
"""What must be as it was when a run goes on, and what a person calls it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What decides a run apart from its faces."""

    recipe: Recipe
    init: str
    """As `edge_fer.training.initial.initialise` reads it."""
    precision: str
    """A policy of Keras."""
    teacher: Checkpoint | None = None

    def identity(self, samples: Sequence[Sample], held_out: Sequence[Sample]) -> dict[str, Any]:
        """What makes a run on these faces another one where it differs."""
        return {
            "recipe": self.recipe.to_json(),
            "train": list_hash(samples),
            "held_out": list_hash(held_out),
            "teacher": self.teacher.sha256 if self.teacher else None,
            "init": identity(self.init),
            "precision": self.precision,
        }


def require_same(file: Path, saved: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raise CheckpointError where a record is not of the run that is asked for.

    What the record of an earlier version does not tell is not compared.
    """
    known = {**saved, "recipe": Recipe.from_json(saved.get("recipe", {})).to_json()}
    other = [word for key, word in WORDS.items() if key in known and known[key] != asked[key]]
    if other:
        raise CheckpointError(
            f"{file}: of a run with another {', another '.join(other)}; "
            "choose another --out or remove the file"
        )

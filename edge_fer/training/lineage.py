"""The runs that led to a checkpoint: each begins where another ended."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge_fer.training.checkpoint import Checkpoint

Run = dict[str, Any]
"""Hash, start, recipe, training faces, teacher and validation accuracy of one run."""


def named(checkpoint: Checkpoint) -> str:
    """How the record of a later run names the checkpoint that it began with."""
    return f"checkpoint {checkpoint.sha256[:12]}"


def lineage(checkpoint: Checkpoint) -> list[Run]:
    """The runs up to a checkpoint, oldest first, its own the last."""
    return [*checkpoint.made.get("lineage", []), own(checkpoint)]


def own(checkpoint: Checkpoint) -> Run:
    """What later records keep of a run."""
    return {
        "sha256": checkpoint.sha256,
        "init": checkpoint.made.get("init"),
        "mean": checkpoint.made.get("mean", 1),
        "recipe": checkpoint.recipe.to_json(),
        "train": checkpoint.data.get("train"),
        "teacher": checkpoint.made.get("teacher"),
        "validation_accuracy": checkpoint.metrics.get("validation", {}).get("accuracy"),
    }


def earlier(checkpoint: Checkpoint, folders: Iterable[Path]) -> list[Run]:
    """The runs before a checkpoint's own: those of its record, and what led to the first of them.

    Where a record does not tell, they are looked for in `folders`; a run counts only where its
    hash is the one that the next one began with.
    """
    told: list[Run] = list(checkpoint.made.get("lineage", []))
    known = {named(found): found for found in map(Checkpoint.load, folders)}
    before = known.get(str((told[0] if told else own(checkpoint))["init"]))
    return told if before is None else [*earlier(before, folders), own(before), *told]

"""One network out of several runs: the mean of their weights.

Runs that began at the same weights and stayed near each other lie in one basin, and their mean is
as good as their ensemble, at the price of one (Wortsman et al., Model soups, ICML 2022).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_fer.errors import CheckpointError
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.lineage import earlier, named, own


def soup(parts: Sequence[Checkpoint], folders: Iterable[Path] = ()) -> Checkpoint:
    """The mean of the weights; recipe, data and figures are the last one's, as is its lineage.

    `folders` are checkpoints of earlier runs, for records that do not tell them. Raises
    CheckpointError where the networks differ.
    """
    last = parts[-1]
    before = earlier(last, folders)
    if len(parts) == 1:
        return replace(last, made={**last.made, "lineage": before})
    if any(part.recipe.architecture != last.recipe.architecture for part in parts):
        raise CheckpointError("a mean of weights needs runs of one architecture and input size")
    weights = {
        name: np.asarray(sum(part.weights[name] for part in parts) / np.float32(len(parts)))
        for name in last.weights
    }
    init = f"mean of {', '.join(map(named, parts))}"
    known = {run["sha256"] for run in before}
    others = [own(part) for part in parts if part.sha256 not in known]
    made = {**last.made, "init": init, "mean": len(parts), "lineage": [*before, *others]}
    return replace(last, weights=weights, made=made)

"""The mean of several runs."""

from dataclasses import replace

import numpy as np
import pytest

from edge_fer.errors import CheckpointError
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.lineage import lineage, named, own
from edge_fer.training.recipe import Architecture, Recipe
from edge_fer.training.soup import soup


def run(value: float, **made: object) -> Checkpoint:
    return Checkpoint({"head/bias": np.full(7, value, np.float32)}, Recipe(), made=made)


def test_the_weights_are_the_mean_and_the_runs_are_told() -> None:
    first = run(1, init="imagenet")
    second = run(4, init=named(first), lineage=[own(first)])
    mean = soup([first, second])
    assert (mean.weights["head/bias"] == 2.5).all()
    assert mean.weights["head/bias"].dtype == np.float32
    told = [one["sha256"] for one in lineage(mean)]
    assert told == [first.sha256, second.sha256, mean.sha256]
    assert mean.made["init"] == f"mean of {named(first)}, {named(second)}"


def test_one_run_stays_what_it_is() -> None:
    only = run(3, init="imagenet")
    assert soup([only]).sha256 == only.sha256
    assert "mean" not in soup([only]).made


def test_networks_of_two_kinds_have_no_mean() -> None:
    other = replace(run(2), recipe=Recipe(Architecture(size=96)))
    with pytest.raises(CheckpointError, match="one architecture"):
        soup([run(1), other])

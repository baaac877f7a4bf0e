"""A smaller network out of a larger one."""

from dataclasses import replace

import numpy as np
import pytest

from edge_fer.errors import CheckpointError
from edge_fer.training.checkpoint import Checkpoint, Weights, set_weights, weights_of
from edge_fer.training.model import build
from edge_fer.training.narrow import narrowed
from edge_fer.training.recipe import Architecture, Recipe

WIDE = Architecture(size=71, width=0.1, middle_blocks=3)
NARROW = replace(WIDE, width=0.05)


@pytest.fixture
def wide(rng: np.random.Generator) -> Weights:
    """Of the wide network; batch norms as a trained network's."""
    weights = weights_of(build(WIDE))
    for name, values in weights.items():
        low, high = (0.5, 1.5) if name.endswith(("gamma", "moving_variance")) else (-0.4, 0.4)
        weights[name] = rng.uniform(low, high, values.shape).astype(np.float32)
    return weights


def answers(architecture: Architecture, weights: Weights, faces: np.ndarray) -> np.ndarray:
    network = build(architecture)
    set_weights(network, weights)
    return np.asarray(network(faces))


def without_weak_channels(weights: Weights, rng: np.random.Generator) -> Weights:
    """So many channels that nobody reads that just the narrow network's are left."""
    small = weights_of(build(NARROW))
    read, trunk = dict(weights), {}
    for name, values in weights.items():
        layer, kind = name.split("/")
        if kind not in ("pointwise_kernel", "kernel") or layer == "block1_conv1":
            continue
        had, wanted = values.shape[-2], small[name].shape[-2]
        group = _group(layer)
        if group not in trunk:
            trunk[group] = rng.permutation(had)[: had - wanted]
        read[name] = values.copy()
        read[name][..., trunk[group], :] = 0
    return read


def _group(layer: str) -> str:
    """Layers that read the same channels."""
    block, _, part = layer.partition("_")
    number = int(block[5:]) if block.startswith("block") else 0
    if part not in ("sepconv1", "shortcut"):
        return layer
    return "middle" if 5 <= number <= 13 and number != 14 else f"into {block}"


def test_channels_that_nobody_reads_are_those_that_go(
    wide: Weights, rng: np.random.Generator
) -> None:
    """So the narrow network answers as the wide one did."""
    weights = without_weak_channels(wide, rng)
    faces = rng.integers(0, 256, (3, 71, 71, 3), dtype=np.uint8)
    small = narrowed(Checkpoint(weights, Recipe(WIDE)), NARROW)
    wanted, got = answers(WIDE, weights, faces), answers(NARROW, small, faces)
    assert np.ptp(wanted) > 0.1
    assert got == pytest.approx(wanted, rel=1e-3, abs=1e-4)


def test_a_network_of_the_same_size_is_the_same(wide: Weights) -> None:
    same = narrowed(Checkpoint(wide, Recipe(WIDE)), WIDE)
    assert same.keys() == wide.keys()
    assert all(np.array_equal(same[name], wide[name]) for name in wide)


def test_repeated_blocks_are_left_out_evenly(wide: Weights) -> None:
    small = narrowed(Checkpoint(wide, Recipe(WIDE)), replace(WIDE, middle_blocks=2))
    kernel = "sepconv2/pointwise_kernel"
    assert np.array_equal(small[f"block5_{kernel}"], wide[f"block5_{kernel}"])
    assert np.array_equal(small[f"block6_{kernel}"], wide[f"block7_{kernel}"])
    assert f"block7_{kernel}" not in small
    none = narrowed(Checkpoint(wide, Recipe(WIDE)), replace(WIDE, middle_blocks=0))
    assert set(none) == set(weights_of(build(replace(WIDE, middle_blocks=0))))


@pytest.mark.parametrize("larger", [{"width": 0.2}, {"middle_blocks": 4}])
def test_a_larger_network_is_not_in_it(wide: Weights, larger: dict[str, float]) -> None:
    with pytest.raises(CheckpointError, match="give an --init as large as it"):
        narrowed(Checkpoint(wide, Recipe(WIDE)), replace(WIDE, **larger))

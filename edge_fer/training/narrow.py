"""A smaller network out of a larger one: its strongest channels, some of its repeated blocks.

A student that starts so has learnt most of it already. A channel's strength is what its readers
weigh it by (norm of their kernels) times how far it swings (the norm's gamma behind its writers):
pruning by magnitude (Li et al., ICLR 2017), over all layers that share a channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_fer.errors import CheckpointError
from edge_fer.training.checkpoint import Checkpoint, Weights, weights_of
from edge_fer.training.model import build
from edge_fer.training.recipe import Architecture

FIRST_MIDDLE = 5
"""Number of the first repeated block."""
Channels = Mapping[str, NDArray[np.intp]]
"""Group of channels to those that are kept."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution or the head, and the groups of channels it reads and writes."""

    name: str
    reads: str
    writes: str


def narrowed(teacher: Checkpoint, architecture: Architecture) -> Weights:
    """The weights of a network of `architecture`, all taken from the teacher's.

    Raises CheckpointError where the teacher is narrower or has fewer repeated blocks.
    """
    own = teacher.recipe.architecture
    if own.width < architecture.width or own.middle_blocks < architecture.middle_blocks:
        raise CheckpointError(
            f"a network of width {architecture.width:g} and {architecture.middle_blocks} middle "
            f"blocks is not in one of width {own.width:g} and {own.middle_blocks}; give an --init "
            "as large as it, or random"
        )
    wanted = weights_of(build(architecture))
    given = _fewer_blocks(teacher.weights, own.middle_blocks, architecture.middle_blocks)
    layers = list(_layers(architecture.middle_blocks))
    kept = _strongest(layers, given, wanted)
    return {name: values for layer in layers for name, values in _cut(layer, given, kept).items()}


def _layers(middle_blocks: int) -> Iterator[Layer]:
    """Every layer of `edge_fer.training.model`; layers of one group share their channels."""
    yield Layer("block1_conv1", "pixels", "block1_conv1")
    yield Layer("block1_conv2", "block1_conv1", "block1_conv2")
    trunk = "block1_conv2"
    for block in ("block2", "block3", "block4"):
        yield from _down(block, trunk)
        trunk = block
    for number in range(FIRST_MIDDLE, FIRST_MIDDLE + middle_blocks):
        yield from _chain(f"block{number}", trunk, 3, trunk)
    yield from _down("block13", trunk)
    yield from _chain("block14", "block13", 2, "block14_sepconv2")
    yield Layer("head", "block14_sepconv2", "answers")


def _down(block: str, trunk: str) -> Iterator[Layer]:
    yield Layer(f"{block}_shortcut", trunk, block)
    yield from _chain(block, trunk, 2, block)


def _chain(block: str, entry: str, length: int, end: str) -> Iterator[Layer]:
    """Separable convolutions behind one another."""
    reads = entry
    for part in range(1, length + 1):
        name = f"{block}_sepconv{part}"
        writes = end if part == length else name
        yield Layer(name, reads, writes)
        reads = writes


def _fewer_blocks(weights: Weights, had: int, wanted: int) -> Weights:
    """Repeated blocks, evenly chosen, under the numbers of the smaller network."""
    chosen = np.linspace(0, max(had - 1, 0), wanted).round().astype(int)
    middle = {f"block{FIRST_MIDDLE + number}_" for number in range(had)}
    left = {k: v for k, v in weights.items() if not k.startswith(tuple(middle))}
    for number, source in enumerate(chosen):
        old, new = (f"block{FIRST_MIDDLE + n}_" for n in (source, number))
        left |= {new + k[len(old) :]: v for k, v in weights.items() if k.startswith(old)}
    return left


def _strongest(layers: list[Layer], given: Weights, wanted: Weights) -> Channels:
    """Which channels of each group a network of the shapes of `wanted` keeps."""
    kept: dict[str, NDArray[np.intp]] = {}
    for group in {name for layer in layers for name in (layer.reads, layer.writes)}:
        readers = [layer for layer in layers if layer.reads == group]
        writers = [layer for layer in layers if layer.writes == group]
        if not readers or not writers:  # pixels and answers are whole
            (ends,) = {_size(layer, given, group) for layer in readers + writers}
            kept[group] = np.arange(ends)
            continue
        swing = sum(np.square(given[f"{layer.name}_bn/gamma"]) for layer in writers)
        weight = sum(np.square(_read_by(layer, given)) for layer in readers)
        count = _size(writers[0], wanted, group)
        best = np.argsort(-(np.sqrt(swing) * np.sqrt(weight)), kind="stable")[:count]
        kept[group] = np.sort(best)
    return kept


def _size(layer: Layer, weights: Weights, group: str) -> int:
    """Channels of a group that the layer reads or writes."""
    axis = -1 if layer.writes == group else -2
    key = "pointwise_kernel" if f"{layer.name}/pointwise_kernel" in weights else "kernel"
    return int(weights[f"{layer.name}/{key}"].shape[axis])


def _read_by(layer: Layer, weights: Weights) -> NDArray[np.floating]:
    """(channels,) norm of what a layer multiplies each channel by that it reads."""
    pointwise = weights.get(f"{layer.name}/pointwise_kernel")
    if pointwise is None:
        kernel = weights[f"{layer.name}/kernel"]
        return np.asarray(
            np.linalg.norm(np.moveaxis(kernel, -2, 0).reshape(kernel.shape[-2], -1), axis=1)
        )
    depthwise = weights[f"{layer.name}/depthwise_kernel"]
    across = np.linalg.norm(depthwise.reshape(-1, depthwise.shape[-2]), axis=0)
    return np.asarray(across * np.linalg.norm(pointwise[0, 0], axis=1))


def _cut(layer: Layer, weights: Weights, kept: Channels) -> Weights:
    """The layer's weights and its norm's with the kept channels alone."""
    reads, writes = kept[layer.reads], kept[layer.writes]
    found: Weights = {}
    for name, values in weights.items():
        owner = name.split("/")[0]
        if owner == f"{layer.name}_bn" or name == f"{layer.name}/bias":
            found[name] = values[writes]
        elif name == f"{layer.name}/depthwise_kernel":
            found[name] = values[:, :, reads]
        elif owner == layer.name:
            found[name] = values[..., reads, :][..., writes]
    return found

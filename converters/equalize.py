"""Channel scales moved through Xception without changing what it computes.

An INT8 tensor has one step for all its channels, so a loud channel leaves few steps to the quiet
ones. A positive factor on a channel passes through ReLU, max pooling and addition and can be taken
back by the weights behind: exactly by a depthwise kernel, which has a step a channel of its own,
and at some cost in weight resolution by a pointwise one, which has a step an output channel
(cross-layer equalization: Nagel et al., ICCV 2019, there from weights alone, here from what real
activations do).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from converters.probe import MIDDLE, Channels, Flow
from edge_fer.training.checkpoint import Weights
from edge_fer.training.recipe import Architecture

BETWEEN, INSIDE = 1.0, 0.5
LIMIT = 32.0
"""Largest factor: a channel that hardly moves must not become the loudest."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Tensors that must keep the same channel scales, and what writes and reads them."""

    norms: tuple[str, ...]
    """Batch norms that write it."""
    depthwise: tuple[str, ...]
    """Separable convolutions that read it."""
    shortcuts: tuple[str, ...] = ()
    """1x1 convolutions that read it."""
    sums: tuple[str, ...] = ()
    """Additions that it goes through, tensors of their own in front of a ReLU."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where its channels can be seen: what is read, and the sums."""
        return (*self.depthwise, *self.shortcuts, *self.sums)


def equalized(
    weights: Weights,
    architecture: Architecture,
    flow: Flow,
    between: float = BETWEEN,
    inside: float = INSIDE,
) -> tuple[Weights, Flow]:
    """Weights of the folded network that compute the same with more even channels, and their flow.

    Args:
        weights: of the network without normalisation (`converters.fold`).
        flow: what its channels do (`converters.probe`).
        between: how far to even out what separable convolutions read, 0 to 1.
        inside: the same for what lies between depthwise and pointwise kernel.
    """
    changed = {name: values.astype(np.float64) for name, values in weights.items()}
    moved: dict[str, Channels] = {}
    for stream in streams(architecture):
        # The sums count with what the ReLU behind them cuts: some formats hold them in INT8 too.
        factors = _factors(np.max([flow.peaks(name) for name in stream.places], axis=0), between)
        _move(changed, stream, factors)
        moved |= dict.fromkeys(stream.places, factors)
    for name in [n.removesuffix(MIDDLE) for n in flow.largest if n.endswith(MIDDLE)]:
        # What reads the stream has absorbed the factors above, so these peaks still hold.
        factors = _factors(flow.peaks(name + MIDDLE), inside)
        changed[f"{name}/depthwise_kernel"] *= factors[:, None]
        changed[f"{name}/pointwise_kernel"] /= factors[:, None]
        moved[name + MIDDLE] = factors
    even = {name: values.astype(np.float32) for name, values in changed.items()}
    return even, flow.scaled(moved)


def streams(architecture: Architecture) -> Iterator[Stream]:
    """All places between layers through which a positive factor passes."""
    last = 4 + architecture.middle_blocks
    middle = [f"block{n}" for n in range(5, last + 1)]
    yield Stream(("block1_conv2_bn",), ("block2_sepconv1",), ("block2_shortcut",))
    yield _sum("block2", [], "block3")
    yield _sum("block3", [], "block4")
    yield _sum("block4", middle, "block13")
    yield Stream(
        ("block13_sepconv2_bn", "block13_shortcut_bn"), ("block14_sepconv1",), (), ("block13_add",)
    )
    for block in ("block2", "block3", "block4", "block13", "block14"):
        yield Stream((f"{block}_sepconv1_bn",), (f"{block}_sepconv2",))
    for block in middle:
        for part in (1, 2):
            yield Stream((f"{block}_sepconv{part}_bn",), (f"{block}_sepconv{part + 1}",))


def _sum(block: str, middle: list[str], following: str) -> Stream:
    """A residual stream: what a block and those after it add up, until the next shortcut."""
    return Stream(
        (f"{block}_sepconv2_bn", f"{block}_shortcut_bn", *(f"{b}_sepconv3_bn" for b in middle)),
        tuple(f"{b}_sepconv1" for b in (*middle, following)),
        (f"{following}_shortcut",),
        tuple(f"{b}_add" for b in (block, *middle)),
    )


def _move(weights: Weights, stream: Stream, factors: Channels) -> None:
    """Multiply a stream's channels and let its readers divide again."""
    for norm in stream.norms:
        weights[f"{norm}/gamma"] *= factors
        weights[f"{norm}/beta"] *= factors
    for reader in stream.depthwise:
        weights[f"{reader}/depthwise_kernel"] /= factors[:, None]
    for reader in stream.shortcuts:
        weights[f"{reader}/kernel"] /= factors[:, None]


def _factors(peaks: Channels, strength: float) -> Channels:
    """Factors that bring channels towards the loudest; `strength` 1 makes them equal."""
    loudest = peaks.max()
    return np.asarray(np.clip(loudest / np.maximum(peaks, 1e-12), 1, LIMIT) ** strength)

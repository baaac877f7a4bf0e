"""Which layers stay in float32 where plain INT8 fails the gate: the fewest, the worst first.

How bad a layer is, is measured: the mean change of the scores when it alone is INT8. Then the
smallest number of worst layers is sought that passes the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np

from edge_fer.types import ScoreBatch

MOST = 0.25
"""Share of the layers beyond which a model is no INT8 model any more and is refused."""
PROBES = 48
"""Calibration faces on which a layer's harm is measured."""


@dataclass(frozen=True, slots=True)
class Harm:
    """What one layer costs."""

    layer: str
    score_change: float
    """Mean over faces of the sum of the absolute changes of the seven scores."""


def layer_names(model: keras.Model) -> list[str]:
    """The layers that have kernels, those of nested models included."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += layer_names(layer)
        elif any("kernel" in variable.name for variable in layer.weights):
            found.append(layer.name)
    return found


def ranked(
    layers: Sequence[str],
    scores: Callable[[Sequence[str]], ScoreBatch],
    parent: ScoreBatch,
    progress: Callable[[int, int], None],
) -> list[Harm]:
    """All layers, the worst first; `scores` gives those of a model with some layers in float."""
    harms = []
    for number, layer in enumerate(layers):
        alone = scores([other for other in layers if other != layer])
        harms.append(Harm(layer, float(np.abs(alone - parent).sum(1).mean())))
        progress(number + 1, len(layers))
    return sorted(harms, key=lambda harm: -harm.score_change)


def fewest(
    harms: Sequence[Harm], passes: Callable[[Sequence[str]], bool]
) -> tuple[Harm, ...] | None:
    """The shortest run of worst layers that passes when kept in float; None where none does.

    Lengths are doubled until one passes, then halved between: a longer run is taken to be no worse.
    """
    names = [harm.layer for harm in harms]
    most = max(1, int(MOST * len(names)))
    failed, length = 0, 1
    while not passes(names[:length]):
        if length == most:
            return None
        failed, length = length, min(2 * length, most)
    while length - failed > 1:
        middle = (failed + length) // 2
        if passes(names[:middle]):
            length = middle
        else:
            failed = middle
    return tuple(harms[:length])


def record(harms: Sequence[Harm]) -> dict[str, Any]:
    """For the manifest: the layers kept in float32, and why."""
    return {
        "kept_in_float32": [asdict(harm) for harm in harms],
        "kept_because": "the gate refused all layers in INT8; these change the scores most",
    }

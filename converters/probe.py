"""What flows into every convolution of the folded network, channel by channel, over real inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from converters.loud import loud_faces
from edge_fer.training.checkpoint import Weights, set_weights
from edge_fer.training.model import build
from edge_fer.training.recipe import Architecture
from edge_fer.types import FaceBatch

BATCH = 32
MIDDLE = "/middle"
"""Suffix that names what lies between the two kernels of a separable convolution."""

Channels = NDArray[np.float64]
ByFace = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Flow:
    """Figures of each convolution's input, under its name, and of each sum.

    `NAME/middle` lies between the two kernels of a separable convolution.
    """

    largest: dict[str, ByFace]
    """(N, C) largest magnitude on each face."""
    average: dict[str, ByFace]
    """(N, C) mean over pixels."""

    def __len__(self) -> int:
        """Faces."""
        return len(next(iter(self.largest.values())))

    def peaks(self, name: str) -> Channels:
        """(C,) largest magnitude, the mean over faces."""
        return np.asarray(self.largest[name].mean(0, dtype=np.float64))

    def means(self, name: str) -> Channels:
        """(C,) mean over faces and pixels."""
        return np.asarray(self.average[name].mean(0, dtype=np.float64))

    def loud_faces(self) -> list[int]:
        """Faces that would stretch ranges for all others."""
        return loud_faces(np.stack([found.max(1) for found in self.largest.values()], axis=1))

    def kept(self, faces: NDArray[np.integer]) -> Flow:
        """The same over some of the faces."""
        return Flow(
            {name: found[faces] for name, found in self.largest.items()},
            {name: found[faces] for name, found in self.average.items()},
        )

    def scaled(self, factors: Mapping[str, Channels]) -> Flow:
        """What it is once the channels of some inputs are multiplied by (C,) positive factors."""

        def times(found: dict[str, ByFace]) -> dict[str, ByFace]:
            return {
                name: np.asarray(v * factors[name], np.float32) if name in factors else v
                for name, v in found.items()
            }

        return Flow(times(self.largest), times(self.average))


def flow(
    weights: Weights,
    architecture: Architecture,
    faces: FaceBatch,
    progress: Callable[[int, int], None],
) -> Flow:
    """Run (N, size, size, 3) bytes through the network without normalisation (`fold`)."""
    probe, names = _probe(weights, architecture)
    batches = []
    for start in range(0, len(faces), BATCH):
        batch = _padded(faces[start : start + BATCH]).astype(np.float32)
        batches.append([_figures(np.asarray(v)) for v in probe.predict_on_batch(batch)])
        progress(min(start + BATCH, len(faces)), len(faces))
    largest, average = (
        {
            name: np.concatenate([batch[i][kind] for batch in batches])[: len(faces)]
            for i, name in enumerate(names)
        }
        for kind in (0, 1)
    )
    return Flow(largest, average)


def _padded(faces: FaceBatch) -> FaceBatch:
    """A whole batch: another size would compile the network once more."""
    return np.concatenate([faces, np.repeat(faces[-1:], BATCH - len(faces), 0)])


def _figures(values: np.ndarray) -> tuple[ByFace, ByFace]:
    """(N, C) peaks and means over the pixels."""
    pixels = values.reshape(len(values), -1, values.shape[-1])
    return np.maximum(pixels.max(1), -pixels.min(1)), pixels.mean(1)


def _probe(weights: Weights, architecture: Architecture) -> tuple[keras.Model, list[str]]:
    """A model that gives every convolution's input, every depthwise output and every sum."""
    model = build(architecture, normalise=False)
    set_weights(model, weights)
    names, outputs = [], []
    for layer in model.layers:
        if isinstance(layer, (keras.layers.SeparableConv2D, keras.layers.Conv2D)):
            names.append(layer.name)
            outputs.append(layer.input)
        if isinstance(layer, keras.layers.SeparableConv2D):
            kernel = keras.ops.convert_to_tensor(weights[f"{layer.name}/depthwise_kernel"])
            names.append(layer.name + MIDDLE)
            outputs.append(keras.ops.depthwise_conv(layer.input, kernel, padding="same"))
        if isinstance(layer, keras.layers.Add):
            names.append(layer.name)
            outputs.append(layer.output)
    return keras.Model(model.input, outputs), names

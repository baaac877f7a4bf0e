"""Xception after Chollet (CVPR 2017), layer for layer as in Keras Applications.

Written out instead of taken from Keras Applications so that every layer has a stable name and the
width and depth can shrink; a test compares it with the original, weight for weight.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

from edge_fer.emotions import LABELS
from edge_fer.training.norm import FusedBatchNormalization
from edge_fer.training.recipe import Architecture, Colour

LUMA_BGR = (0.114, 0.587, 0.299)
"""Weights of blue, green and red in luma (ITU-R BT.601), as OpenCV uses."""


def build(architecture: Architecture, dropout: float = 0.0, normalise: bool = True) -> keras.Model:
    """The network from (N, size, size, 3) to (N, 7) logits.

    With `normalise` it takes BGR bytes 0 to 255; without, it starts at the first convolution and
    takes what `colour_matrix` makes of them: that is what `converters.fold` works on.
    """
    widths = _Widths(architecture.width)
    image = keras.Input((architecture.size, architecture.size, 3), name="image")
    x = _normalised(image, architecture.colour) if normalise else image
    x = _entry(x, widths)
    for number in range(5, 5 + architecture.middle_blocks):
        x = _middle(x, f"block{number}", widths(728))
    x = _exit(x, widths)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(len(LABELS), dtype="float32", name="head")(x)
    return keras.Model(image, logits, name="xception")


def colour_matrix(colour: Colour) -> np.ndarray:
    """(3, 3): BGR row vector times this gives the network's RGB (or grey, three times)."""
    if colour == "grey":
        return np.repeat(np.array(LUMA_BGR, np.float32)[:, None], 3, axis=1)
    return np.eye(3, dtype=np.float32)[:, ::-1]


def _normalised(image: keras.KerasTensor, colour: Colour) -> keras.KerasTensor:
    # In float32 even under mixed precision: bfloat16 holds bytes only to 256 steps.
    matrix = keras.ops.convert_to_tensor(colour_matrix(colour) / np.float32(127.5))
    return keras.ops.matmul(keras.ops.cast(image, "float32"), matrix) - 1.0


class _Widths:
    """Channel counts under a multiplier, in steps of 8; the published ones at 1."""

    def __init__(self, multiplier: float) -> None:
        self._multiplier = multiplier

    def __call__(self, channels: int) -> int:
        return max(8, round(channels * self._multiplier / 8) * 8)


def _entry(x: keras.KerasTensor, widths: _Widths) -> keras.KerasTensor:
    # "valid" padding: the bytes' normalisation folds into the first convolution exactly.
    x = layers.Conv2D(widths(32), 3, strides=2, use_bias=False, name="block1_conv1")(x)
    x = _relu(_norm(x, "block1_conv1_bn"), "block1_conv1_act")
    x = layers.Conv2D(widths(64), 3, use_bias=False, name="block1_conv2")(x)
    x = _relu(_norm(x, "block1_conv2_bn"), "block1_conv2_act")
    x = _down(x, "block2", widths(128), widths(128), first_relu=False)
    x = _down(x, "block3", widths(256), widths(256))
    return _down(x, "block4", widths(728), widths(728))


def _exit(x: keras.KerasTensor, widths: _Widths) -> keras.KerasTensor:
    x = _down(x, "block13", widths(728), widths(1024))
    x = _relu(_separable(x, widths(1536), "block14_sepconv1"), "block14_sepconv1_act")
    return _relu(_separable(x, widths(2048), "block14_sepconv2"), "block14_sepconv2_act")


def _down(
    x: keras.KerasTensor, name: str, inner: int, outer: int, first_relu: bool = True
) -> keras.KerasTensor:
    """Two separable convolutions and a pool, beside a strided 1x1 shortcut."""
    shortcut = layers.Conv2D(
        outer, 1, strides=2, padding="same", use_bias=False, name=f"{name}_shortcut"
    )(x)
    shortcut = _norm(shortcut, f"{name}_shortcut_bn")
    if first_relu:
        x = _relu(x, f"{name}_sepconv1_act")
    x = _relu(_separable(x, inner, f"{name}_sepconv1"), f"{name}_sepconv2_act")
    x = _separable(x, outer, f"{name}_sepconv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _middle(x: keras.KerasTensor, name: str, channels: int) -> keras.KerasTensor:
    """Three separable convolutions around which the input is added."""
    residual = x
    for part in (1, 2, 3):
        x = _relu(x, f"{name}_sepconv{part}_act")
        x = _separable(x, channels, f"{name}_sepconv{part}")
    return layers.Add(name=f"{name}_add")([x, residual])


def _separable(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    x = layers.SeparableConv2D(channels, 3, padding="same", use_bias=False, name=name)(x)
    return _norm(x, f"{name}_bn")


def _norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return FusedBatchNormalization(name=name)(x)


def _relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.Activation("relu", name=name)(x)

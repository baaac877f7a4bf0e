"""TFLite: TensorFlow's converter for floats, ai-edge-quantizer for INT8.

TensorFlow's own INT8 route spans the extremes over all calibration faces, so that two odd faces
in 300 ruin the model (see the README); here odd faces are left out first.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Collection
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

import keras
import numpy as np

from converters import relu
from converters.activations import Activations
from converters.ranges import RULES

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

REACH = 99.0
"""Percentile over the kept faces of a tensor's extremes that its INT8 range holds.

The mean over faces, ai-edge-quantizer's own rule, cuts every second face: on 1,200 FER2013
validation faces the scores then differed from the parent's by 0.113 (sum over the seven classes),
at the percentiles 90 to 100 by 0.032 to 0.035.
"""
RULE = f"percentile {REACH:.0f}"
"""Of `ranges.RULES`."""
BYTE_RANGE = (0.0, 255.0)
"""Gives the int8 input scale 1 and zero point -128: a camera's byte with its top bit flipped."""


def to_float(model: keras.Model, half: bool = False) -> bytes:
    """A folded Keras model as a float TFLite file; `half` stores weights as float16."""
    import tensorflow as tf

    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        # Not `from_keras_model`: that route prints its export to stdout, hundreds of lines.
        model.export(scratch, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(scratch)
        if half:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def quantize(
    model: bytes, activations: Activations, rule: str = RULE, kept: Collection[str] = ()
) -> bytes:
    """A float TFLite file as INT8: per-channel weights, int8 bytes in, float32 scores out.

    The softmax stays in float32: seven numbers whose INT8 steps would cost resolution; so do the
    layers `kept`, parts of Keras names such as `block5_sepconv1`. `rule` is one of `ranges.RULES`.
    """
    from ai_edge_quantizer import qtyping, quantizer, recipe
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    worker = quantizer.Quantizer(model, recipe.static_wi8_ai8())
    operations = qtyping.TFLOperationName
    floats = [(".*", operations.SOFTMAX), (".*", operations.OUTPUT)]
    floats += [(f".*{name}(?![0-9]).*", operations.ALL_SUPPORTED) for name in kept]
    for pattern, operation in floats:
        worker.update_quantization_recipe(
            pattern, operation, algorithm_key=AlgorithmName.NO_QUANTIZE
        )
    with redirect_stderr(StringIO()):  # a bar of its own that no option turns off
        result = worker.quantize(
            _ranges(activations, rule), enable_progress_bar=False, enable_progress_report=False
        )
    return relu.by_requantizing(bytes(result.quantized_model))


def _ranges(activations: Activations, rule: str) -> dict[str, dict[str, Any]]:
    """Tensor name to its range, in the quantizer's own form."""
    found = activations.ranges(RULES[rule])
    found[activations.tensors[0]] = BYTE_RANGE
    return {
        name: {"min": np.array(low, np.float32), "max": np.array(high, np.float32)}
        for name, (low, high) in found.items()
    }

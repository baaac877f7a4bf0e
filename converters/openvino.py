"""OpenVINO IR: bytes in, probabilities out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
from pathlib import Path
from warnings import catch_warnings, simplefilter

os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")

import keras
import openvino as ov
from openvino.preprocess import PrePostProcessor

from converters import ir
from converters.activations import Activations
from converters.ranges import RULES

RULE = "percentile 99"
"""Of `ranges.RULES`."""


def to_float(model: keras.Model) -> ov.Model:
    """A folded Keras model as float IR that takes (1, H, W, 3) uint8."""
    shape = [int(side) for side in model.inputs[0].shape]
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # Keras: the input comes as a tuple of one
        converted = ov.convert_model(model, input=shape)
    bytes_in = PrePostProcessor(converted)
    bytes_in.input().tensor().set_element_type(ov.Type.u8)
    bytes_in.input().preprocess().convert_element_type(ov.Type.f32)
    return bytes_in.build()


def quantize(
    model: ov.Model, activations: Activations, rule: str = RULE, kept: Collection[str] = ()
) -> ov.Model:
    """INT8 IR; `activations` are of `ir.observe`, `rule` is one of `ranges.RULES`.

    The nodes `kept` stay in float32.
    """
    return ir.quantize(model, activations.ranges(RULES[rule]), kept)


def to_files(model: ov.Model, half: bool) -> dict[str, bytes]:
    """The `.xml` and `.bin` of a model; `half` stores float weights as float16."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "model.xml"
        ov.save_model(model, target, compress_to_fp16=half)
        return {path.name: path.read_bytes() for path in sorted(Path(scratch).iterdir())}

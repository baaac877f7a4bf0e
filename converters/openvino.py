"""OpenVINO IR: bytes in, probabilities out; INT8 by NNCF."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")

import keras
import openvino as ov
from openvino.preprocess import PrePostProcessor

from edge_fer.types import FaceBatch


def to_float(model: keras.Model) -> ov.Model:
    """A folded Keras model as float IR that takes (1, H, W, 3) uint8."""
    shape = [int(side) for side in model.inputs[0].shape]
    converted = ov.convert_model(model, input=shape)
    bytes_in = PrePostProcessor(converted)
    bytes_in.input().tensor().set_element_type(ov.Type.u8)
    bytes_in.input().preprocess().convert_element_type(ov.Type.f32)
    return bytes_in.build()


def quantize(model: ov.Model, faces: FaceBatch) -> ov.Model:
    """INT8 IR: per-channel weights; ranges from (N, H, W, 3) faces, averaged over them."""
    import nncf

    nncf.set_log_level(logging.ERROR)
    return nncf.quantize(
        model,
        nncf.Dataset([face[None] for face in faces]),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(faces),
    )


def to_files(model: ov.Model, half: bool) -> dict[str, bytes]:
    """The `.xml` and `.bin` of a model; `half` stores float weights as float16."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "model.xml"
        ov.save_model(model, target, compress_to_fp16=half)
        return {path.name: path.read_bytes() for path in sorted(Path(scratch).iterdir())}

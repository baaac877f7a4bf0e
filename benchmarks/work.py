"""Which share of a bundle's multiplications runs on 8-bit integers.

Read from the graph that the runtime made, where it shows it: a model that is called INT8 may have
layers that fall back to floats.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from edge_fer.bundle import Bundle
from edge_fer.engines import DEVICE

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""LiteRT's operators that multiply; everything else is a thousandth of the work."""
INTEGERS = ("i8", "u8", "int8")
BYTES = ("int8", "uint8")
"""ONNX Runtime's names of what an INT8 operator takes."""

Work = tuple[float, bool]
"""Multiplications, and whether they are on 8-bit integers."""


def int8_share(bundle: Bundle, threads: int) -> float | None:
    """0 to 1; None for a format whose executed graph is not shown."""
    if bundle.manifest.format == "tflite":
        return _share(_tflite(bundle))
    if bundle.manifest.format == "openvino":
        return _share(_openvino(bundle, threads))
    if bundle.manifest.format == "onnx":
        return _share(_onnx(bundle, threads))
    return None


def _share(work: Iterable[Work]) -> float | None:
    done = list(work)
    total = sum(multiplications for multiplications, _ in done)
    return sum(m for m, integer in done if integer) / total if total else None


def _tflite(bundle: Bundle) -> Iterable[Work]:
    """Every operator whose weights and input have a type of their own in the file."""
    from edge_fer.litert import interpreter

    model = interpreter(bundle.file(".tflite"), 1)
    tensors = {entry["index"]: entry for entry in model.get_tensor_details()}
    for operator in model._get_ops_details():
        if operator["op_name"] not in CONVOLUTIONS:
            continue
        image, kernel = (tensors[int(i)] for i in operator["inputs"][:2])
        output = tensors[int(operator["outputs"][0])]
        # Every output is a sum over the kernel; a depthwise one has its channels last.
        depthwise = operator["op_name"] == "DEPTHWISE_CONV_2D"
        terms = prod(kernel["shape"][1:-1] if depthwise else kernel["shape"][1:])
        integer = image["dtype"] is np.int8 and kernel["dtype"] is np.int8
        yield float(prod(output["shape"]) * terms), integer


def _openvino(bundle: Bundle, threads: int) -> Iterable[Work]:
    """Convolutions of the compiled graph, by the name of the kernel that runs them."""
    import openvino as ov

    core = ov.Core()
    model = core.read_model(bundle.file(".xml"), bundle.file(".bin"))
    sizes = {op.get_friendly_name(): _multiplications(op) for op in model.get_ops()}
    # As the engine asks for it: without the hint, floats would run in bf16 where the machine can.
    asked = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    compiled = core.compile_model(model, "CPU", asked)
    for node in compiled.get_runtime_model().get_ordered_ops():
        facts = node.get_rt_info()
        names = str(facts["originalLayersNames"].astype(str)).split(",")
        done = sum(sizes.get(name, 0.0) for name in names)
        kernel = str(facts["primitiveType"].astype(str)).lower().rpartition("_")[2]
        if done:
            yield done, kernel in INTEGERS


def _onnx(bundle: Bundle, threads: int) -> Iterable[Work]:
    """Every operator that multiplies, as ONNX Runtime's own profile of one inference names it.

    Channels that it pads to whole blocks count: it computes them. Nothing comes of a graph whose
    parts another compiler took whole: what TensorRT does inside is not shown.
    """
    from edge_fer.engines.onnx import WHOLE

    nodes = [event["args"] for event in _profile(bundle, threads)]
    if any(WHOLE in node["op_name"] for node in nodes):
        return
    for node in nodes:
        kinds, shapes = _tensors(node.get("input_type_shape", []))
        _, outputs = _tensors(node.get("output_type_shape", []))
        name = node["op_name"]
        if "Conv" in name:
            # Scales and zero points stand between picture and kernel, and have fewer sides.
            kernel = next(shape for shape in shapes[1:] if len(shape) == len(shapes[0]))
            yield float(prod(outputs[0]) * prod(kernel[1:])), kinds[0] in BYTES
        elif "Gemm" in name or "MatMul" in name:
            yield float(prod(outputs[0]) * shapes[0][-1]), kinds[0] in BYTES


def _profile(bundle: Bundle, threads: int) -> list[dict[str, Any]]:
    """The operators of one inference, run on the device that the engine runs on."""
    import onnxruntime

    from edge_fer.engines.onnx import PROVIDERS

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.enable_profiling = True
    # Else kernels that were packed are gone from the profile. Packing comes after the operators
    # were chosen, and changes none of them.
    options.add_session_config_entry("session.disable_prepacking", "1")
    provider = PROVIDERS[os.environ.get(DEVICE) or "CPU"]
    side = bundle.manifest.input_size
    with TemporaryDirectory() as scratch:
        options.profile_file_prefix = str(Path(scratch) / "profile")
        session = onnxruntime.InferenceSession(bundle.file(".onnx"), options, [provider])
        face = np.zeros((1, side, side, 3), np.uint8)
        session.run(None, {session.get_inputs()[0].name: face})
        events = json.loads(Path(session.end_profiling()).read_text())
    return [e for e in events if e.get("cat") == "Node" and "provider" in e["args"]]


def _tensors(told: list[dict[str, list[int]]]) -> tuple[list[str], list[list[int]]]:
    """Types and shapes of a profile's tensors: each is `{type: shape}`."""
    pairs = [next(iter(one.items())) for one in told if one]
    return [kind for kind, _ in pairs], [shape for _, shape in pairs]


def _multiplications(operator: Any) -> float:
    """Of a convolution or matrix product in the file; 0 for anything else."""
    kind = operator.get_type_name()
    if not re.fullmatch(r"Convolution|GroupConvolution|MatMul", kind):
        return 0.0
    output = prod(operator.output(0).get_partial_shape().get_min_shape())
    kernel = list(operator.input(1).get_partial_shape().get_min_shape())
    terms = prod(kernel[2:] if kind == "GroupConvolution" else kernel[1:])
    if kind == "MatMul":
        terms = operator.input(0).get_partial_shape().get_min_shape()[-1]
    return float(output * terms)

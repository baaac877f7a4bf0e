"""Share of INT8 work, where ONNX Runtime's own profile tells it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.notes import notes
from benchmarks.records import BUNDLE
from benchmarks.results import Measured
from benchmarks.work import int8_share
from edge_fer.bundle import Manifest, create_bundle

SIDE = 12
FLOATS = SIDE * SIDE * 64 * 3
"""Multiplications of a 1x1 convolution from 3 to 64 channels."""
BYTES = (SIDE - 2) ** 2 * 8 * 64 * 9
"""Of a 3x3 one from 64 to 8 channels."""


def constant(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def bundle_of(folder, whole: bool):
    """A convolution on floats, and where not `whole`, a second one on bytes."""
    nodes = [
        helper.make_node("Cast", ["faces"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "k1"], ["c1"]),
        helper.make_node("QuantizeLinear", ["c1", "scale", "zero"], ["q1"]),
        helper.make_node(
            "QLinearConv", ["q1", "scale", "zero", "k2", "scale", "zero", "scale", "zero"], ["q2"]
        ),
        helper.make_node("DequantizeLinear", ["q2", "scale", "zero"], ["out"]),
    ]
    if whole:
        nodes[2:] = [helper.make_node("Conv", ["first", "k1"], ["out"])]
    constants = [
        constant("k1", np.ones((64, 3, 1, 1), np.float32)),
        constant("k2", np.ones((8, 64, 3, 3), np.int8)),
        constant("scale", np.float32(0.1)),
        constant("zero", np.int8(0)),
    ]
    graph = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("faces", TensorProto.UINT8, [1, SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        constants,
    )  # fmt: skip
    opset = [helper.make_opsetid("", 13)]
    content = helper.make_model(graph, opset_imports=opset, ir_version=7).SerializeToString()
    manifest = Manifest("small", "onnx", "int8", SIDE, "0" * 64, {})
    return create_bundle(folder / "b", manifest, {"model.onnx": content})


def test_multiplications_on_bytes_are_counted_by_operator(tmp_path):
    share = int8_share(bundle_of(tmp_path, whole=False), 1)
    assert share == pytest.approx(BYTES / (BYTES + FLOATS))


def test_a_model_that_ran_on_floats_has_no_int8_work(tmp_path):
    assert int8_share(bundle_of(tmp_path, whole=True), 1) == 0


@pytest.mark.parametrize(("share", "noted"), [(0.19, True), (0.99, False), (None, False)])
def test_an_int8_model_of_which_much_ran_on_floats_is_noted(report, share, noted):
    model = replace(report.results[2].model, precision_asked="int8", int8_share=share)
    measured = Measured("int8", BUNDLE, model=model)
    told = notes([measured], report.faces, report.machine, report.settings)
    assert any("19.0 % of its multiplications" in note for note in told) == noted

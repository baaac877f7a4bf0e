"""The stick's pinned environment and a tiny model for it, for every test that needs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from converters import ncs
from edge_fer.bundle import Bundle, Manifest, create_bundle
from edge_fer.emotions import LABELS
from edge_fer.engines.myriad_home import STAMP, VARIABLE, find_python, make
from edge_fer.errors import MissingExtra

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".cache" / "compat" / "py3.9-openvino-2021.4.2"
"""Where `make compat` has it too: about 280 MB that nobody wants twice."""
SIDE = 8


def environment() -> Path:
    """The real environment, made once in this checkout; skips aloud where it cannot be had."""
    HOME.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(HOME.with_suffix(".lock")):
        if not (HOME / STAMP).is_file():
            try:
                make(HOME, find_python(None), print)
            except MissingExtra as error:
                pytest.skip(str(error))
    return HOME


def tiny_bundle(folder: Path) -> Bundle:
    """A real IR of version 10 by the real `mo`: the mean colour by a convolution, a softmax.

    Its scores say which channel is brightest: blue gives class 0, green 1, red 2.
    """
    from onnx import TensorProto, helper, numpy_helper

    kernel = np.zeros((len(LABELS), 3, SIDE, SIDE), np.float32)
    kernel[[0, 1, 2], [0, 1, 2]] = 0.05 / SIDE**2
    nodes = [
        helper.make_node("Transpose", ["faces"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "kernel", "bias"], ["means"]),
        helper.make_node("Flatten", ["means"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, (1, SIDE, SIDE, 3))],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, len(LABELS)))],
        [
            numpy_helper.from_array(kernel, "kernel"),
            numpy_helper.from_array(np.zeros(len(LABELS), np.float32), "bias"),
        ],
    )
    opset = [helper.make_opsetid("", 13)]
    files = ncs.to_files(helper.make_model(graph, opset_imports=opset, ir_version=7))
    manifest = Manifest("tiny", "ncs", "fp16", SIDE, "0" * 64, {})
    return create_bundle(folder / "tiny", manifest, files)


@pytest.fixture(scope="module")
def stick_home() -> Path:
    return environment()


@pytest.fixture(scope="module")
def tiny(stick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(stick_home))
        return tiny_bundle(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def stick(stick_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment, known to edge-fer."""
    monkeypatch.setenv(VARIABLE, str(stick_home))
    return stick_home

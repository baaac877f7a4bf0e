"""What a file says of itself, with and without its folder, and files that are none."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from conftest import INPUT_SIZE, RunCli
from onnx import TensorProto, helper, numpy_helper

from converters.embed import embedded
from edge_fer.bundle import Manifest, open_bundle
from edge_fer.engines import open_engine
from edge_fer.errors import BadData, NotFound
from edge_fer.inspection import inspect
from edge_fer.inspection.text import lines
from edge_fer.types import FaceBatch

MODELS = {"tflite": "model.tflite", "openvino": "model.xml", "onnx": "model.onnx"}
MANIFEST = Manifest("small", "onnx", "fp32", 8, "0" * 64, {}, gate={"verdict": "passed"})


@pytest.fixture(params=sorted(MODELS))
def folder(request: pytest.FixtureRequest, bundles: Path) -> Path:
    return bundles / f"xception-int8-{request.param}"


def model_of(folder: Path) -> Path:
    return next(folder / name for name in MODELS.values() if (folder / name).is_file())


def small() -> bytes:
    """Seven numbers of a face of 8 pixels: one matrix."""
    weights = numpy_helper.from_array(np.ones((192, 7), np.float32), "w")
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("Gemm", ["f", "w"], ["y"])]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 8, 3])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 7])
    return bytes(
        helper.make_model(
            helper.make_graph(nodes, "g", [entry], [result], [weights])
        ).SerializeToString()
    )


def test_a_file_that_lost_its_folder_says_the_same_as_its_bundle(
    folder: Path, tmp_path: Path
) -> None:
    lonely = Path(shutil.copy(model_of(folder), tmp_path))
    alone, whole = inspect(lonely), inspect(folder)
    assert alone.operators == whole.operators
    for key in ("name", "parent", "gate", "calibration", "made"):
        assert alone.manifest[key] == whole.manifest[key]
    assert (alone.source, whole.source) == ("inside the file", "the bundle")


def separable(side: int, entry: int, result: int) -> int:
    return side**2 * (9 * entry + entry * result)


def shortcut(side: int, entry: int, result: int) -> int:
    return side**2 * entry * result


def xception(size: int) -> int:
    """Multiply-adds of one face, from Chollet's table of layers."""
    first = (size - 3) // 2 + 1
    a = first - 2
    b = math.ceil(a / 2)
    c, d, e = (math.ceil(b / 2**halved) for halved in (1, 2, 3))
    return sum(
        (
            first**2 * 27 * 32, a**2 * 9 * 32 * 64,
            separable(a, 64, 128), separable(a, 128, 128), shortcut(b, 64, 128),
            separable(b, 128, 256), separable(b, 256, 256), shortcut(c, 128, 256),
            separable(c, 256, 728), separable(c, 728, 728), shortcut(d, 256, 728),
            25 * separable(d, 728, 728), separable(d, 728, 1024), shortcut(e, 728, 1024),
            separable(e, 1024, 1536), separable(e, 1536, 2048), 2048 * 7,
        )
    )  # fmt: skip


def test_multiply_adds_are_those_of_xception_and_all_in_int8(folder: Path) -> None:
    found = inspect(folder)
    assert sum(operator.multiply_adds for operator in found.operators) == xception(INPUT_SIZE)
    assert found.int8_share == 1


def test_what_is_inside_changes_no_answer_and_no_second_writing(
    folder: Path, calibration_faces: FaceBatch
) -> None:
    bundle = open_bundle(folder)
    again = embedded(bundle.manifest, bundle.files)
    assert again == embedded(bundle.manifest, bundle.files)
    engines = [open_engine(b) for b in (bundle, replace(bundle, files=again))]
    answers = [engine.infer(calibration_faces[:2]) for engine in engines]
    assert (answers[0] == answers[1]).all()


def test_an_onnx_file_is_read_back() -> None:
    model = onnx.load_from_string(embedded(MANIFEST, {"model.onnx": small()})["model.onnx"])
    (entry,) = model.metadata_props
    assert json.loads(entry.value)["gate"] == {"verdict": "passed"}


def test_other_files_of_a_bundle_stay_as_they_are() -> None:
    files = {"model.onnx": small(), "selftest.png": b"\x89PNG", "model.bin": b"\0"}
    made = embedded(MANIFEST, files)
    assert {n: made[n] for n in ("selftest.png", "model.bin")} == {
        n: files[n] for n in ("selftest.png", "model.bin")
    }


def test_a_model_of_someone_else_is_described_without_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(small())
    found = inspect(tmp_path / "m.onnx")
    assert (found.manifest, found.int8_share) == ({}, 0.0)
    assert sum(operator.multiply_adds for operator in found.operators) == 192 * 7
    assert "not made by edge-fer" in "\n".join(lines(found))


IR = b'<net version="11"><layers>%s</layers><edges/></net>'
BOMB = b'<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + IR % b"&b;"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.tflite", b""), ("m.tflite", b"\0" * 4 + b"TFL3" + b"\xff" * 64),
        ("m.tflite", b"no model" * 9), ("m.xml", b""), ("m.xml", b"<net>"), ("m.xml", b"<html/>"),
        ("m.xml", BOMB), ("m.xml", IR % b'<layer id="0" type="Convolution"/>'), ("m.xml", IR % b""),
        ("m.onnx", b""), ("m.onnx", b"\xff" * 64), ("m.onnx", small()[:-40]), ("m.h5", b"x"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_model_is_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadData, match=name):
        inspect(tmp_path / name)


def test_a_manifest_inside_that_is_no_json_is_one_line(tmp_path: Path) -> None:
    model = onnx.load_from_string(small())
    entry = model.metadata_props.add()
    entry.key, entry.value = "edge_fer_manifest", "{"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BadData, match="manifest inside is not JSON"):
        inspect(tmp_path / "m.onnx")


def test_nothing_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such bundle or file"):
        inspect(tmp_path / "none.onnx")


def test_the_command_prints_it_for_people_and_programs(bundles: Path, cli: RunCli) -> None:
    folder = bundles / "xception-int8-onnx"
    told = cli("inspect", folder)
    assert told.returncode == 0, told.stderr
    assert "multiply-adds a face" in told.stdout
    assert "gate: provisional" in told.stdout
    record = json.loads(cli("inspect", folder / "model.onnx", "--json").stdout)
    assert record["manifest"]["precision"] == "int8"

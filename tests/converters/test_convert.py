"""From checkpoint to bundle by the command, and everything that must stop it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from conftest import INPUT_SIZE, RunCli

from converters import activations, convert, ir, kept, probe, tflite
from converters.calibration import CalibrationSet
from converters.order import Order
from edge_fer.bundle import open_bundle
from edge_fer.datasets import open_dataset, samples_of
from edge_fer.datasets.faces import classes_of, faces_of
from edge_fer.engines import open_engine
from edge_fer.errors import ConfigError, Refused
from edge_fer.progress import silent
from edge_fer.training.checkpoint import SHIPPED, Checkpoint

FORMATS = ("tflite", "openvino")


@pytest.mark.parametrize("format_", FORMATS)
def test_the_manifest_tells_where_the_bundle_comes_from(bundles: Path, format_: str) -> None:
    manifest = open_bundle(bundles / f"xception-int8-{format_}").manifest
    assert manifest.parent == Checkpoint.load(SHIPPED).sha256
    assert manifest.calibration["dataset"] == "shipped"
    assert manifest.gate["accuracy"] == "not measured"
    assert manifest.gate["verdict"] == "provisional"
    assert manifest.gate["precision_executed"] == "int8"
    assert manifest.gate["agreement"]["value"] >= 0.93
    assert manifest.gate["multiply_adds_share"] == {"int8": 1}


@pytest.mark.parametrize("format_", FORMATS)
def test_a_bundle_is_a_quarter_of_its_float_parent(bundles: Path, format_: str) -> None:
    floats = 4 * sum(v.size for v in Checkpoint.load(SHIPPED).weights.values())
    assert open_bundle(bundles / f"xception-int8-{format_}").size_bytes < 0.28 * floats


@pytest.mark.parametrize("format_", FORMATS)
def test_int8_keeps_its_accuracy_on_real_faces(
    bundles: Path, format_: str, fer2013_path: Path
) -> None:
    """Real labels through the device's own code: 30 % under the gate's figure would show."""
    samples = samples_of(open_dataset(f"fer2013:{fer2013_path}"), "test")[::9]
    engine = open_engine(open_bundle(bundles / f"xception-int8-{format_}"))
    right = engine.infer(faces_of(samples, INPUT_SIZE)).argmax(1) == classes_of(samples)
    assert right.mean() > 0.60


@pytest.fixture(scope="module")
def real_faces(fer2013_path: Path) -> CalibrationSet:
    return convert.drawn_set(f"fer2013:{fer2013_path}", "train", 70, 0, INPUT_SIZE)


def test_loud_faces_are_left_out_and_named(
    tmp_path: Path, real_faces: CalibrationSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which faces are loud is tested on peaks of their own, in test_calibration."""
    monkeypatch.setattr(convert, "shipped_set", lambda size: real_faces)
    ((bundle, verdict),) = convert.convert(Order(formats=("tflite",), out=tmp_path), silent)
    told = bundle.manifest.calibration
    assert told["left_out"]
    assert set(told["left_out"]) < set(real_faces.names)
    assert told["used"] == len(real_faces.faces) - len(told["left_out"])
    assert verdict.agreement.value >= 0.93


@pytest.fixture
def no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused model is not mended layer by layer: that takes a minute and is tested below."""
    monkeypatch.setattr(kept, "ranked", lambda *given: [])


@pytest.mark.usefixtures("no_second_try")
def test_the_gate_refuses_ranges_stretched_by_odd_faces(
    tmp_path: Path, real_faces: CalibrationSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a plain converter does: no face left out, and the extremes of all."""

    def extremes(self: activations.Activations, rule: object) -> dict[str, tuple[float, float]]:
        low, high = 30 * self.lows.min(0), 30 * self.highs.max(0)
        return {name: (low[i], high[i]) for i, name in enumerate(self.tensors)}

    monkeypatch.setattr(convert, "shipped_set", lambda size: real_faces)
    monkeypatch.setattr(probe.Flow, "loud_faces", lambda self: [])
    monkeypatch.setattr(activations.Activations, "ranges", extremes)
    with pytest.raises(Refused, match=r"xception-int8-tflite: .*Nothing was written"):
        convert.convert(Order(formats=("tflite",), out=tmp_path / "out"), silent)
    assert not (tmp_path / "out").exists()


def stuck_on(model: bytes, number: int) -> bytes:
    """The same model with a bias in its head that drowns all else."""
    content = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    (graph,) = content.subgraphs
    (head,) = [
        operator
        for operator in graph.operators
        if content.operatorCodes[operator.opcodeIndex].builtinCode
        == schema.BuiltinOperator.FULLY_CONNECTED
    ]
    buffer = content.buffers[graph.tensors[head.inputs[2]].buffer]
    bias = np.frombuffer(bytes(buffer.data), np.int32).copy()
    bias[:] = -(2**24)
    bias[number] = 2**24
    buffer.data = np.frombuffer(bias.tobytes(), np.uint8)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


@pytest.mark.usefixtures("no_second_try")
def test_a_model_that_always_answers_one_class_is_refused_and_the_class_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tflite.quantize
    monkeypatch.setattr(tflite, "quantize", lambda *a, **k: stuck_on(whole(*a, **k), 4))
    with pytest.raises(Refused, match="it always answers fear"):
        convert.convert(Order(formats=("tflite",), out=tmp_path / "out"), silent)
    assert not (tmp_path / "out").exists()


def test_one_spoilt_layer_is_found_and_kept_in_float(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel whose bytes hold three values only fails the gate; the rest of the model is fine."""
    whole = ir._bytes

    def spoilt(weights: np.ndarray) -> object:
        if weights.shape == (64, 32, 3, 3):  # block1_conv2
            weights = np.sign(weights) * np.abs(weights).max() * (np.abs(weights) > weights.std())
        return whole(weights)

    monkeypatch.setattr(ir, "_bytes", spoilt)
    ((bundle, verdict),) = convert.convert(Order(formats=("openvino",), out=tmp_path), silent)
    gate = bundle.manifest.gate
    assert [found["layer"] for found in gate["kept_in_float32"]] == ["block1_conv2"]
    assert gate["kept_in_float32"][0]["score_change"] > 0.1
    assert 0.9 < gate["multiply_adds_share"]["int8"] < 1
    assert verdict.agreement.value >= 0.93


def test_mostly_odd_faces_are_refused(real_faces: CalibrationSet) -> None:
    with pytest.raises(ConfigError, match="40 of 70 faces are outliers"):
        convert.without_loud(real_faces, list(range(40)))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_float_bundles_agree_wholly_and_say_what_is_executed(
    tmp_path: Path, precision: str
) -> None:
    for bundle, verdict in convert.convert(Order(precisions=(precision,), out=tmp_path), silent):
        assert verdict.agreement.value > 0.99
        assert bundle.manifest.calibration == {}
        assert bundle.manifest.gate["precision_executed"] == "fp32"


def edited(folder: Path, **changes: object) -> Path:
    shutil.copytree(SHIPPED, folder)
    record = json.loads((folder / "checkpoint.json").read_text())
    (folder / "checkpoint.json").write_text(json.dumps({**record, **changes}))
    return folder


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 78, "choose a precision"),
        (("--target", "toaster"), 78, "choose from pi, x86, jetson, ncs, all"),
        (("--target", "ncs", "--int8"), 78, "MYRIAD cannot run FakeQuantize"),
        (("--target", "pi", "--format", "onnx"), 78, "leave out --format"),
        (("nowhere", "--int8"), 66, "nowhere: no checkpoint here"),
        (("--int8", "--format", "tensorrt"), 78, "unknown format 'tensorrt'"),
        (("--int8", "--data", "fer2013:/nowhere"), 66, "fer2013:/nowhere"),
        (("--int8", "--data", "imagenet:x"), 78, "unknown dataset 'imagenet'"),
        (("--int8", "--data", "synthetic:", "--samples", "10"), 78, "at least 50"),
        (("--int8", "--max-drop", "-1"), 78, "max drop"),
    ],
)
def test_a_wrong_order_is_one_line(
    tmp_path: Path, cli: RunCli, arguments: tuple[str, ...], status: int, said: str
) -> None:
    done = cli("convert", *arguments, "--out", tmp_path / "out")
    last = done.stderr.strip().splitlines()[-1]
    assert (done.returncode, said in last) == (status, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_damaged_checkpoint_is_one_line(tmp_path: Path, cli: RunCli) -> None:
    folder = edited(tmp_path / "c")
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    done = cli("convert", folder, "--int8")
    assert done.returncode == 65
    assert "altered or damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_checkpoint_with_another_label_order_is_refused(tmp_path: Path, cli: RunCli) -> None:
    labels = ["happy", "neutral", "sad", "surprise", "fear", "disgust", "anger"]
    done = cli("convert", edited(tmp_path / "c", labels=labels), "--int8")
    assert done.returncode == 65
    assert "edge-fer needs neutral happy" in done.stderr

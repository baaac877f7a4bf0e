"""ONNX Runtime: the device asked for, or none."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_fer.bundle import Bundle, Manifest, create_bundle
from edge_fer.engines import DEVICE, open_engine
from edge_fer.engines import onnx as engine_module
from edge_fer.engines.onnx import PROVIDERS, _check_device, _executed
from edge_fer.errors import BundleError, ConfigError, EngineError

SIDE = 8


def model(weights: np.ndarray, entry_type: int = TensorProto.UINT8) -> bytes:
    """Seven channel means of one 3x3 convolution, and a softmax."""
    nodes = [
        helper.make_node("Cast", ["faces"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "w"], ["conv"], kernel_shape=[3, 3]),
        helper.make_node("GlobalAveragePool", ["conv"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["scores"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("faces", entry_type, [1, SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 7])],
        [numpy_helper.from_array(weights, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


@pytest.fixture
def weights(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, 0.001, (7, 3, 3, 3)).astype(np.float32)


def bundle(folder: Path, content: bytes) -> Bundle:
    manifest = Manifest("small", "onnx", "fp32", SIDE, "0" * 64, {})
    return create_bundle(folder / "b", manifest, {"model.onnx": content})


def test_it_answers_and_says_what_ran_where(tmp_path: Path, weights: np.ndarray) -> None:
    engine = open_engine(bundle(tmp_path, model(weights)))
    scores = engine.infer(np.full((2, SIDE, SIDE, 3), 100, np.uint8))
    logits = 100 * weights.sum((1, 2, 3))
    assert np.allclose(scores[0], np.exp(logits) / np.exp(logits).sum(), atol=1e-5)
    assert (engine.device, engine.precision) == ("CPU", "fp32")
    assert engine.runtime == f"onnxruntime {onnxruntime.__version__}"


@pytest.mark.parametrize("device", ["CUDA", "TENSORRT"])
def test_a_device_that_this_runtime_was_not_built_for_is_refused(
    tmp_path: Path, weights: np.ndarray, device: str
) -> None:
    if PROVIDERS[device] in onnxruntime.get_available_providers():
        pytest.skip(f"ONNX Runtime is built for {device} here")
    with pytest.raises(ConfigError, match=f"--device {device}: .*knows CPU alone; install"):
        open_engine(bundle(tmp_path, model(weights)), device=device)


def test_a_provider_that_opens_but_runs_nothing_is_no_silent_fall_to_the_cpu(
    tmp_path: Path, weights: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Really so with a provider of this build that takes no convolution."""
    idle = "AzureExecutionProvider"
    if idle not in onnxruntime.get_available_providers():
        pytest.skip(f"this ONNX Runtime has no {idle}")
    monkeypatch.setitem(engine_module.PROVIDERS, "CUDA", idle)
    with pytest.raises(EngineError, match="of 1 convolutions ONNX Runtime ran 1 on CPU"):
        open_engine(bundle(tmp_path, model(weights)), device="CUDA")


def test_the_environment_names_the_device_where_nobody_else_does(
    tmp_path: Path, weights: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DEVICE, "TPU")
    with pytest.raises(ConfigError, match="--device TPU"):
        open_engine(bundle(tmp_path, model(weights)))
    assert open_engine(bundle(tmp_path, model(weights)), device="CPU").device == "CPU"


def test_a_model_that_takes_no_bytes_is_refused(tmp_path: Path, weights: np.ndarray) -> None:
    with pytest.raises(BundleError, match=r"takes and gives .*tensor\(float\)"):
        open_engine(bundle(tmp_path, model(weights, TensorProto.FLOAT)))


def test_weights_that_are_no_numbers_are_an_error_not_an_answer(
    tmp_path: Path, weights: np.ndarray
) -> None:
    weights[3] = np.nan
    engine = open_engine(bundle(tmp_path, model(weights)))
    with pytest.raises(EngineError, match="no probabilities"):
        engine.infer(np.ones((1, SIDE, SIDE, 3), np.uint8))


GPU, CPU = PROVIDERS["CUDA"], PROVIDERS["CPU"]


def test_small_operators_may_run_elsewhere_convolutions_may_not() -> None:
    _check_device("CUDA", GPU, [("Conv", GPU, "float"), ("Cast", CPU, "uint8")])
    with pytest.raises(EngineError, match="1 on CPUExecutionProvider"):
        _check_device("CUDA", GPU, [("Conv", GPU, "float"), ("FusedConv", CPU, "float")])


def test_a_profile_without_convolutions_proves_nothing() -> None:
    with pytest.raises(EngineError, match="ran none"):
        _check_device("CUDA", GPU, [("Cast", GPU, "uint8")])


@pytest.mark.parametrize(
    ("runs", "precision"),
    [
        ([("Conv", CPU, "float")], "fp32"),
        ([("FusedConv", GPU, "float16"), ("Conv", GPU, "float16"), ("Conv", CPU, "float")], "fp16"),
        ([("QLinearConv", CPU, "int8"), ("Cast", CPU, "uint8")], "int8"),
        ([("TRTKernel_graph_edge_fer_1_0", "TensorrtExecutionProvider", "uint8")], "unknown"),
    ],
)
def test_the_precision_is_that_of_most_convolutions(
    runs: list[tuple[str, str, str]], precision: str
) -> None:
    assert _executed(runs) == precision

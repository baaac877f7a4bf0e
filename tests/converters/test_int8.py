"""INT8 files of both formats: what is in bytes, and what is kept out of it on request."""

import numpy as np
import openvino as ov
import pytest
from ai_edge_litert.interpreter import Interpreter
from networks import scores_of, small_checkpoint

from converters import activations, ir, openvino, relu, tflite
from converters.activations import Activations
from converters.fold import fold, model_of
from converters.ir_names import keras_names
from edge_fer.progress import silent
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.types import FaceBatch


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return small_checkpoint("bgr", np.random.default_rng(7), middle_blocks=1)


@pytest.fixture(scope="module")
def faces() -> FaceBatch:
    return np.random.default_rng(8).integers(0, 256, (8, 71, 71, 3), dtype=np.uint8)


def quiet(done: int, total: int) -> None:
    silent("", done, total)


@pytest.fixture(scope="module")
def float_ir(checkpoint: Checkpoint) -> ov.Model:
    return openvino.to_float(model_of(fold(checkpoint), checkpoint.recipe.architecture))


@pytest.fixture(scope="module")
def seen_ir(float_ir: ov.Model, faces: FaceBatch) -> Activations:
    return ir.observe(float_ir, faces, quiet)


@pytest.fixture(scope="module")
def float_tflite(checkpoint: Checkpoint) -> bytes:
    return tflite.to_float(model_of(fold(checkpoint), checkpoint.recipe.architecture))


@pytest.fixture(scope="module")
def seen_tflite(float_tflite: bytes, faces: FaceBatch) -> Activations:
    return activations.observe(float_tflite, faces, quiet)


def ir_scores(model: ov.Model, faces: FaceBatch) -> np.ndarray:
    request = ov.Core().compile_model(model, "CPU").create_infer_request()
    return np.concatenate([request.infer([face[None]])[0].copy() for face in faces])


def tflite_scores(model: bytes, faces: FaceBatch) -> np.ndarray:
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    entry, leaving = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    found = []
    for face in faces:
        interpreter.set_tensor(entry["index"], (face[None] ^ 0x80).view(np.int8))
        interpreter.invoke()
        found.append(interpreter.get_tensor(leaving["index"]))
    return np.concatenate(found)


def operators(model: bytes) -> list[tuple[str, str]]:
    """Name and type of the first result of every operator that LiteRT was given."""
    interpreter = Interpreter(model_content=model)
    kinds = {d["index"]: d["dtype"].__name__ for d in interpreter.get_tensor_details()}
    given = interpreter._get_ops_details()
    return [(o["op_name"], kinds[o["outputs"][0]]) for o in given if o["op_name"] != "DELEGATE"]


def test_an_int8_ir_answers_like_its_float(
    float_ir: ov.Model, seen_ir: Activations, faces: FaceBatch
) -> None:
    found = ir_scores(openvino.quantize(float_ir, seen_ir), faces)
    assert np.abs(found - ir_scores(float_ir, faces)).max() < 0.05


def test_the_sums_of_an_ir_are_left_in_float(float_ir: ov.Model, seen_ir: Activations) -> None:
    model = openvino.quantize(float_ir, seen_ir)
    read = [
        node.input_value(i).get_node().get_type_name()
        for node in model.get_ordered_ops()
        if node.get_type_name() == "Add"
        for i in (0, 1)
    ]
    assert "FakeQuantize" not in read


def test_a_tensor_read_twice_is_quantized_once(float_ir: ov.Model, seen_ir: Activations) -> None:
    model = openvino.quantize(float_ir, seen_ir)
    steps = [n for n in model.get_ordered_ops() if n.get_type_name() == "FakeQuantize"]
    assert len(steps) == len(seen_ir.tensors) < len(list(ir.layers(float_ir)))


def test_the_float_model_is_left_as_it_was(float_ir: ov.Model, seen_ir: Activations) -> None:
    openvino.quantize(float_ir, seen_ir)
    assert not any(n.get_type_name() == "FakeQuantize" for n in float_ir.get_ordered_ops())


def test_every_node_of_an_ir_has_its_keras_layer(
    checkpoint: Checkpoint, float_ir: ov.Model
) -> None:
    names = keras_names(float_ir, fold(checkpoint))
    assert sorted(names.values()).count("block5_sepconv1") == 2  # depthwise and pointwise
    assert {"block1_conv1", "block2_shortcut", "head"} <= set(names.values())


def test_a_node_of_unknown_weights_is_refused(checkpoint: Checkpoint, float_ir: ov.Model) -> None:
    weights = fold(checkpoint)
    weights["head/kernel"] = weights["head/kernel"] + 1
    with pytest.raises(ValueError, match="no layer"):
        keras_names(float_ir, weights)


def test_a_kept_layer_of_an_ir_has_float_weights(
    checkpoint: Checkpoint, float_ir: ov.Model, seen_ir: Activations
) -> None:
    names = keras_names(float_ir, fold(checkpoint))
    kept = [node for node, layer in names.items() if layer == "block5_sepconv1"]
    model = openvino.quantize(float_ir, seen_ir, kept=kept)
    assert {layer.name for layer in ir.layers(model)} == set(kept)


def test_an_int8_tflite_answers_like_its_float(
    checkpoint: Checkpoint, float_tflite: bytes, seen_tflite: Activations, faces: FaceBatch
) -> None:
    found = tflite_scores(tflite.quantize(float_tflite, seen_tflite), faces)
    assert np.abs(found - scores_of(fold(checkpoint), checkpoint, faces)).max() < 0.08


def test_xnnpack_takes_the_whole_graph(float_tflite: bytes, seen_tflite: Activations) -> None:
    interpreter = Interpreter(model_content=tflite.quantize(float_tflite, seen_tflite))
    interpreter.allocate_tensors()
    names = [o["op_name"] for o in interpreter._get_ops_details()]
    assert names.count("DELEGATE") == 1
    assert "RELU" not in names


def test_requantizing_in_place_of_a_relu_changes_a_score_by_rounding_alone(
    float_tflite: bytes,
    seen_tflite: Activations,
    faces: FaceBatch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = tflite.quantize(float_tflite, seen_tflite)
    monkeypatch.setattr(relu, "by_requantizing", lambda model: model)
    plain = tflite.quantize(float_tflite, seen_tflite)
    assert ("RELU", "int8") in operators(plain)
    assert np.abs(tflite_scores(ours, faces) - tflite_scores(plain, faces)).max() < 0.03


def test_a_kept_layer_of_a_tflite_file_stays_float(
    float_tflite: bytes, seen_tflite: Activations
) -> None:
    plain, mixed = (
        operators(tflite.quantize(float_tflite, seen_tflite, kept=kept))
        for kept in ((), ("block5_sepconv1",))
    )

    def floats(found: list[tuple[str, str]]) -> list[str]:
        return [name for name, kind in found if kind == "float32" and "CONV" in name]

    assert floats(plain) == []
    assert sorted(floats(mixed)) == ["CONV_2D", "DEPTHWISE_CONV_2D"]

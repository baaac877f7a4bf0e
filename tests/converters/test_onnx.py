"""ONNX written out from a Keras graph: the same answers, and a structure that other tools read."""

from collections import Counter

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers

from converters import onnx as to_onnx
from converters.fold import folded_model
from converters.onnx_graph import IR_VERSION, OPSET
from edge_fer.errors import ConfigError
from edge_fer.training.checkpoint import Checkpoint, weights_of
from edge_fer.training.model import build
from edge_fer.training.recipe import Architecture, Recipe


def answers(model: onnx.ModelProto, faces: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return np.concatenate([session.run(None, {to_onnx.ENTRY: face[None]})[0] for face in faces])


@pytest.fixture(scope="module")
def xception() -> keras.Model:
    """A narrow one, its batch norms far from their start values."""
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    recipe = Recipe(Architecture(size=71, width=0.05, middle_blocks=1))
    weights = weights_of(build(recipe.architecture))
    for name, values in weights.items():
        if name.endswith(("mean", "beta", "bias")):
            weights[name] = rng.normal(0, 0.2, values.shape).astype(np.float32)
        if name.endswith(("variance", "gamma")):
            weights[name] = rng.uniform(0.5, 1.5, values.shape).astype(np.float32)
    return folded_model(Checkpoint(weights, recipe, temperature=1.7))


@pytest.fixture
def faces(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (4, 71, 71, 3), dtype=np.uint8)


def wanted(model: keras.Model, faces: np.ndarray) -> np.ndarray:
    return np.concatenate([np.asarray(model(face[None].astype(np.float32))) for face in faces])


def test_it_answers_as_its_keras_parent(xception: keras.Model, faces: np.ndarray) -> None:
    got = answers(to_onnx.to_float(xception), faces)
    assert np.abs(got - wanted(xception, faces)).max() < 1e-5


def test_half_precision_answers_nearly_so_and_weighs_half(
    xception: keras.Model, faces: np.ndarray
) -> None:
    half, whole = to_onnx.to_float(xception, half=True), to_onnx.to_float(xception)
    assert np.abs(answers(half, faces) - wanted(xception, faces)).max() < 5e-3
    assert half.ByteSize() < 0.6 * whole.ByteSize()


def test_floats_in_are_the_same_model(xception: keras.Model, faces: np.ndarray) -> None:
    model = to_onnx.to_float(xception, bytes_in=False)
    got = answers(model, faces.astype(np.float32))
    assert (got == answers(to_onnx.to_float(xception), faces)).all()


def test_batch_norms_are_gone_and_nothing_moves_pixels_but_the_entry(
    xception: keras.Model,
) -> None:
    graph = to_onnx.to_float(xception).graph
    count = Counter(node.op_type for node in graph.node)
    assert set(count) == {
        *("Cast", "Transpose", "Conv", "Relu", "MaxPool", "Add"),
        *("GlobalAveragePool", "Flatten", "Gemm", "Softmax"),
    }
    assert (count["Cast"], count["Transpose"]) == (1, 1)
    assert [node.op_type for node in graph.node[:2]] == ["Cast", "Transpose"]


def test_it_is_of_the_age_that_old_readers_take(xception: keras.Model) -> None:
    model = to_onnx.to_float(xception)
    assert (model.opset_import[0].version, model.ir_version) == (OPSET, IR_VERSION) == (13, 7)


def everything() -> keras.Model:
    """One of every layer in the table that Xception has not."""
    face = keras.Input((71, 71, 3), batch_size=1)
    x = layers.Rescaling(1 / 127.5, offset=-1)(face)
    x = layers.ZeroPadding2D(((0, 1), (2, 1)))(x)
    x = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu6", groups=3)(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="silu")(x)
    x = layers.ReLU(max_value=4.0)(layers.BatchNormalization(scale=False)(x))
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(12, 1, activation="sigmoid")(gate)
    x = layers.Multiply()([x, gate])
    y = layers.SeparableConv2D(5, 3, dilation_rate=2, padding="same", activation="tanh")(x)
    x = layers.Concatenate()([x, y])
    flat = layers.Flatten()(layers.MaxPooling2D(5)(layers.ReLU()(x)))
    top = layers.GlobalMaxPooling2D()(x)
    x = layers.Dropout(0.5)(layers.Concatenate()([flat, top]))
    return keras.Model(face, layers.Softmax()(layers.Dense(7)(x)))


def test_every_layer_of_the_table_answers_as_in_keras(faces: np.ndarray) -> None:
    keras.utils.set_random_seed(3)
    model = everything()
    assert np.abs(answers(to_onnx.to_float(model), faces) - wanted(model, faces)).max() < 1e-5


def test_a_sequential_model_is_written_too(faces: np.ndarray) -> None:
    model = keras.Sequential(
        [
            keras.Input((71, 71, 3), batch_size=1),
            layers.Rescaling([1 / 255, 1 / 200, 1 / 100], offset=[0.0, -1.0, 2.0]),
            layers.Conv2D(4, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7, activation="softmax"),
        ]
    )
    assert np.abs(answers(to_onnx.to_float(model), faces) - wanted(model, faces)).max() < 1e-5


def test_a_layer_that_is_not_known_is_named() -> None:
    face = keras.Input((71, 71, 3), batch_size=1)
    x = layers.UpSampling2D(name="wider")(face)
    model = keras.Model(face, layers.GlobalAveragePooling2D()(x))
    with pytest.raises(ConfigError, match=r"layer wider: ONNX export knows no UpSampling2D"):
        to_onnx.to_float(model)


@pytest.fixture
def int8(xception: keras.Model, faces: np.ndarray) -> onnx.ModelProto:
    return to_onnx.quantize(xception, to_onnx.observe(xception, faces))


def test_every_convolution_takes_input_and_weights_through_a_pair(int8: onnx.ModelProto) -> None:
    """What TensorRT needs to run a layer in INT8; the bias stays float."""
    made = {node.output[0]: node for node in int8.graph.node}
    weighted = [node for node in int8.graph.node if node.op_type in ("Conv", "Gemm")]
    assert len(weighted) == sum(n.op_type in ("Conv", "Gemm") for n in int8.graph.node) > 20
    for node in weighted:
        for name in node.input[:2]:
            back = made[name]
            assert back.op_type == "DequantizeLinear"
            assert made[back.input[0]].op_type == "QuantizeLinear"
            assert made[back.input[0]].input[1:] == back.input[1:]
        assert all(name not in made for name in node.input[2:])


def test_a_kept_layer_has_no_pairs(xception: keras.Model, faces: np.ndarray) -> None:
    """Neither at its weights nor at its inputs; all others have theirs."""
    seen = to_onnx.observe(xception, faces)
    kept = to_onnx.quantize(xception, seen, ["block3_sepconv1", "head"])
    made = {node.output[0]: node.op_type for node in kept.graph.node}
    plain = [
        name
        for node in kept.graph.node
        if node.op_type in ("Conv", "Gemm") and made.get(node.input[0]) != "DequantizeLinear"
        for name in node.input[1:2]
    ]
    assert plain == ["block3_sepconv1/depthwise/1", "block3_sepconv1/1", "head/1"]
    assert not any(name.startswith(tuple(plain)) for name in made)
    assert np.abs(answers(kept, faces) - wanted(xception, faces)).max() < 0.05


def test_pairs_are_symmetric_and_weights_go_by_output_channel(int8: onnx.ModelProto) -> None:
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in int8.graph.initializer}
    for node in (n for n in int8.graph.node if n.op_type == "DequantizeLinear"):
        scale, zero = (constants[name] for name in node.input[1:])
        assert zero.dtype == np.int8
        assert not zero.any()
        assert (scale > 0).all()
    for node in (n for n in int8.graph.node if n.op_type == "QuantizeLinear"):
        if node.input[0] in constants:
            assert constants[node.input[1]].shape == (len(constants[node.input[0]]),)


def test_bytes_reach_the_first_convolution_whole(int8: onnx.ModelProto) -> None:
    """Shifted by 128, so that a signed byte holds all 256 values at a step of about 1."""
    first = next(node for node in int8.graph.node if node.op_type == "Sub")
    pair = next(node for node in int8.graph.node if node.input[0] == first.output[0])
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in int8.graph.initializer}
    assert constants[pair.input[1]] == pytest.approx(1, abs=0.02)


def test_int8_answers_nearly_as_its_parent(
    int8: onnx.ModelProto, xception: keras.Model, faces: np.ndarray
) -> None:
    assert np.abs(answers(int8, faces) - wanted(xception, faces)).max() < 0.05

"""Contract: every engine in the table, on a real bundle of its format."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import INPUT_SIZE as SIDE

from edge_fer.bundle import Bundle, open_bundle
from edge_fer.emotions import LABELS
from edge_fer.engines import ENGINES, default_threads, open_engine
from edge_fer.engines.scores import checked_scores
from edge_fer.errors import BundleError, ConfigError, EngineError
from edge_fer.protocols import Engine
from edge_fer.types import FaceBatch


@pytest.fixture(scope="module", params=sorted(ENGINES))
def bundle(request: pytest.FixtureRequest, bundles: Path) -> Bundle:
    if request.param == "ncs":
        return open_bundle(request.getfixturevalue("stick_bundle"))
    return open_bundle(bundles / f"xception-int8-{request.param}")


@pytest.fixture(scope="module")
def engine(bundle: Bundle) -> Engine:
    return open_engine(bundle, threads=2, device="CPU")


def test_scores_are_probabilities(engine: Engine, calibration_faces: FaceBatch) -> None:
    scores = engine.infer(calibration_faces[:8])
    assert scores.shape == (8, len(LABELS))
    assert scores.dtype == np.float32
    assert np.allclose(scores.sum(1), 1, atol=1e-5)
    assert (scores >= 0).all()


def test_a_batch_gives_what_its_faces_give_one_by_one(
    engine: Engine, calibration_faces: FaceBatch
) -> None:
    together = engine.infer(calibration_faces[:4])
    singly = np.concatenate([engine.infer(face[None]) for face in calibration_faces[:4]])
    assert (together == singly).all()


def test_faces_that_lie_apart_in_memory_give_the_same(
    engine: Engine, calibration_faces: FaceBatch
) -> None:
    apart = np.asfortranarray(calibration_faces[:2])
    assert (engine.infer(apart) == engine.infer(calibration_faces[:2])).all()


def test_the_given_faces_are_left_as_they_were(
    engine: Engine, calibration_faces: FaceBatch
) -> None:
    faces = calibration_faces[:2].copy()
    engine.infer(faces)
    assert (faces == calibration_faces[:2]).all()


def test_no_faces_give_no_scores(engine: Engine) -> None:
    assert engine.infer(np.empty((0, SIDE, SIDE, 3), np.uint8)).shape == (0, len(LABELS))


EXECUTED = {
    ("onnx", "int8"): "fp32",
    ("tflite", "fp16"): "fp32",
    ("openvino", "fp16"): "fp32",
    ("ncs", "fp16"): "fp32",
}
"""Where it is not what was asked: ONNX Runtime computes symmetric Q/DQ graphs in float32 on a CPU,
and of an fp16 model only the weights are halves."""


def test_the_precision_that_is_executed_is_told(engine: Engine, bundle: Bundle) -> None:
    asked = bundle.manifest.precision
    assert engine.precision == EXECUTED.get((bundle.manifest.format, asked), asked)


def test_it_runs_on_the_cpu_and_says_so(engine: Engine) -> None:
    assert engine.device == "CPU"


def test_a_device_that_the_engine_does_not_know_is_refused(bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match=r"--device TPU: the engine \w+ runs on (\w+, )?CPU"):
        open_engine(bundle, device="TPU")


@pytest.mark.parametrize("shape", [(1, SIDE - 1, SIDE, 3), (1, SIDE, SIDE, 1), (SIDE, SIDE, 3)])
def test_faces_of_another_shape_are_refused(engine: Engine, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="need uint8"):
        engine.infer(np.zeros(shape, np.uint8))


def test_faces_of_another_type_are_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="need uint8"):
        engine.infer(np.zeros((1, SIDE, SIDE, 3), np.float32))  # type: ignore[arg-type]


def test_a_manifest_with_another_input_size_is_refused(bundle: Bundle) -> None:
    other = replace(bundle, manifest=replace(bundle.manifest, input_size=SIDE + 8))
    with pytest.raises(BundleError, match=rf"{SIDE}.*{SIDE + 8}"):
        open_engine(other, device="CPU")


def test_bytes_that_are_no_model_are_refused(bundle: Bundle) -> None:
    garbage = replace(bundle, files=dict.fromkeys(bundle.files, b"no model" * 99))
    with pytest.raises(BundleError, match="refuses the model"):
        open_engine(garbage, device="CPU")


def test_an_unknown_format_names_the_known_ones(bundle: Bundle) -> None:
    other = replace(bundle, manifest=replace(bundle.manifest, format="tensorrt"))
    with pytest.raises(ConfigError, match="openvino, tflite"):
        open_engine(other)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 5.0])
def test_scores_that_are_none_are_an_error_not_an_answer(bad: float) -> None:
    scores = np.full((2, len(LABELS)), 1 / len(LABELS), np.float32)
    scores[1, 3] = bad
    with pytest.raises(EngineError, match="no probabilities"):
        checked_scores(scores, "m")


def test_rounding_of_an_int8_output_is_scaled_away() -> None:
    scores = np.full((1, len(LABELS)), 37 / 256, np.float32)
    assert checked_scores(scores, "m").sum() == pytest.approx(1)


def test_threads_are_at_least_one_and_at_most_four() -> None:
    assert 1 <= default_threads() <= 4

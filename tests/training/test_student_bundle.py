"""A student's checkpoint goes the way of every other: converted, proven, opened to be measured."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.models import open_bundle_engine
from converters.convert import convert
from converters.order import Order
from edge_fer.datasets.shipped import check_faces
from edge_fer.progress import silent
from edge_fer.training.checkpoint import Checkpoint, weights_of
from edge_fer.training.model import build
from edge_fer.training.predict import predict
from edge_fer.training.recipe import Architecture, Recipe

TINY = Recipe(Architecture(size=72, width=0.05, middle_blocks=1))


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn network whose answers vary from face to face."""
    keras.utils.set_random_seed(3)
    model = build(TINY.architecture)
    head, faces = model.get_layer("head"), check_faces(72)
    head.kernel.assign(head.kernel * 200)
    head.bias.assign(-np.asarray(model.predict(faces, verbose=0)).mean(0))
    folder = tmp_path_factory.mktemp("student") / "c"
    made = {"init": "random", "teacher": {"sha256": "ab" * 32, "validation_accuracy": 0.7}}
    Checkpoint(weights_of(model), TINY, abstain_below=0.3, made=made).save(folder)
    return folder


def test_it_is_converted_and_its_bundle_answers_as_it_does(student: Path, tmp_path: Path) -> None:
    order = replace(Order(), checkpoint=student, precisions=("fp32",), formats=("tflite",),
                    out=tmp_path / "out")  # fmt: skip
    ((bundle, verdict),) = convert(order, silent)
    assert verdict.passed
    checkpoint = Checkpoint.load(student)
    assert bundle.manifest.parent == checkpoint.sha256
    child, facts = open_bundle_engine(bundle.path, 1)
    faces = check_faces(72)[:20]
    answers = child.infer(faces)
    assert len(set(answers.argmax(1))) > 1
    assert np.abs(answers - predict(checkpoint, faces, partial(silent, "parent"))).max() < 1e-3
    assert facts["size_bytes"] < 1_000_000

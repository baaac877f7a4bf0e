"""A student learns from a teacher, resumes, and is a checkpoint like any other."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from killing import PATIENCE

from edge_fer.datasets import open_dataset, samples_of
from edge_fer.datasets.faces import faces_of
from edge_fer.errors import ConfigError
from edge_fer.progress import silent
from edge_fer.training import distil
from edge_fer.training.calibrate import softmax
from edge_fer.training.checkpoint import SHIPPED, Checkpoint, set_weights, weights_of
from edge_fer.training.fit import train
from edge_fer.training.model import build
from edge_fer.training.order import Asked, settle
from edge_fer.training.predict import float_model
from edge_fer.training.recipe import Architecture, Recipe

pytestmark = pytest.mark.timeout(PATIENCE)

TEACHER = Recipe(Architecture(size=76, width=0.08, middle_blocks=0))
STUDENT = Recipe(
    Architecture(size=71, width=0.03, middle_blocks=0),
    head_epochs=0, epochs=1, batch=14, ema=0.9,
)  # fmt: skip
DATA = "synthetic:faces=42"


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(4)
    folder = tmp_path_factory.mktemp("teacher") / "c"
    Checkpoint(weights_of(build(TEACHER.architecture)), TEACHER).save(folder)
    return folder


def asked(student: float | None, teacher: Path | None = None, **values: object) -> Asked:
    return Asked(None, "", values, None, "auto", student, teacher)


def test_the_loss_is_hintons(rng: np.random.Generator) -> None:
    own, others = rng.normal(size=(2, 5, 7))
    labels = np.eye(7)[rng.integers(0, 7, 5)]
    recipe = replace(Recipe(), distil_share=0.3, distil_temperature=2.0, label_smoothing=0.1)

    def crossentropy(wanted: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return -(wanted * (logits - np.log(np.exp(logits).sum(1, keepdims=True)))).sum(1)

    heated = np.exp(others / 2) / np.exp(others / 2).sum(1, keepdims=True)
    soft = crossentropy(heated, own / 2) * 4
    hard = crossentropy(labels * 0.9 + 0.1 / 7, own)
    both = np.concatenate([own, others], 1).astype(np.float32)
    found = np.asarray(distil.loss(recipe)(labels.astype(np.float32), both))
    assert found == pytest.approx(0.3 * soft + 0.7 * hard, rel=1e-5)


def test_the_accuracy_is_that_of_the_student(rng: np.random.Generator) -> None:
    labels = np.eye(7, dtype=np.float32)
    answers = np.concatenate([labels[::-1], labels], 1)
    assert np.asarray(distil.accuracy(labels, answers)).tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_a_student_is_trained_and_its_teacher_is_not(teacher: Path, tmp_path: Path) -> None:
    before = Checkpoint.load(teacher)
    made = train(open_dataset(DATA), STUDENT, "random", tmp_path, "float32", silent, teacher)
    loaded = Checkpoint.load(tmp_path)
    assert loaded.recipe.architecture == STUDENT.architecture
    assert loaded.made["teacher"]["sha256"] == before.sha256
    assert loaded.sha256 == made.sha256
    assert loaded.made["peak_memory_bytes"] > 1e8
    assert loaded.made["faces_per_s"] > 0
    assert Checkpoint.load(teacher).sha256 == before.sha256


def test_the_teacher_answers_as_its_checkpoint_does(teacher: Path, tmp_path: Path) -> None:
    learnt = Checkpoint.load(teacher)
    network = build(TEACHER.architecture)
    set_weights(network, learnt.weights)
    student = build(replace(STUDENT.architecture, size=76))
    both = distil.beside(student, learnt)
    faces = np.random.default_rng(0).integers(0, 256, (3, 76, 76, 3), np.uint8)
    assert np.asarray(both(faces, training=True))[:, 7:] == pytest.approx(
        np.asarray(network(faces)), abs=1e-4
    )
    assert len(both.trainable_variables) == len(student.trainable_variables)


def test_a_student_of_half_the_width_is_small_enough() -> None:
    work = settle(asked(0.5))
    assert build(work.recipe.architecture).count_params() <= distil.MOST_PARAMETERS
    assert (work.init, work.teacher, work.recipe.head_epochs) == (str(SHIPPED), SHIPPED, 0)


def test_a_student_that_is_no_small_one_is_refused(teacher: Path) -> None:
    student, learnt = build(Architecture(71, width=0.6)), Checkpoint.load(teacher)
    with pytest.raises(ConfigError, match="6,000,000"):
        distil.beside(student, learnt)


def test_a_student_sees_what_its_teacher_sees_unless_told_otherwise(teacher: Path) -> None:
    assert settle(asked(0.3, teacher)).recipe.architecture.size == 76
    assert settle(asked(0.3, teacher, size=80)).recipe.architecture.size == 80


def test_a_teacher_without_a_student_is_refused(teacher: Path) -> None:
    with pytest.raises(ConfigError, match="add --student"):
        settle(asked(None, teacher))


def test_a_network_of_full_size_learns_from_answers_given_once(teacher: Path) -> None:
    work = settle(asked(None, teacher, distil_faces="plain"))
    assert (work.teacher, work.recipe.architecture) == (teacher, Recipe().architecture)


def test_answers_given_once_stand_behind_the_labels(rng: np.random.Generator) -> None:
    """The loss is the same as with a teacher beside the network that sees plain faces."""
    own, others = rng.normal(size=(2, 5, 7)).astype(np.float32)
    labels = np.eye(7, dtype=np.float32)[rng.integers(0, 7, 5)]
    changed = Recipe(distil_temperature=2.0)
    plain = replace(changed, distil_faces="plain")
    answers = softmax(others / 2).astype(np.float32)
    found = distil.loss(plain)(np.concatenate([labels, answers], 1), own)
    wanted = distil.loss(changed)(labels, np.concatenate([own, others], 1))
    assert np.asarray(found) == pytest.approx(np.asarray(wanted), rel=1e-5)


def test_plain_answers_are_the_teachers_and_are_kept(teacher: Path, tmp_path: Path) -> None:
    learnt = replace(Checkpoint.load(teacher), temperature=0.8)
    faces = samples_of(open_dataset(DATA), "train")
    recipe = replace(STUDENT, distil_temperature=2.0, distil_faces="plain")
    answers = distil.plain_answers(learnt, faces, recipe, tmp_path, silent)
    logits = np.asarray(float_model(learnt).predict(faces_of(faces, 76), verbose=0))
    assert answers == pytest.approx(softmax(logits / 2), abs=1e-5)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-4] + bytes(4))
    again = distil.plain_answers(learnt, faces, recipe, tmp_path, silent)
    assert again[-1, -1] == 0
    assert np.array_equal(again.ravel()[:-1], answers.ravel()[:-1])
    distil.plain_answers(learnt, faces, replace(recipe, distil_temperature=1.0), tmp_path, silent)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_student_learns_from_plain_answers(teacher: Path, tmp_path: Path) -> None:
    recipe = replace(STUDENT, distil_faces="plain", mixup=0.2)
    made = train(open_dataset(DATA), recipe, "random", tmp_path, "float32", silent, teacher)
    assert made.made["teacher"]["sha256"] == Checkpoint.load(teacher).sha256
    assert Checkpoint.load(tmp_path).recipe.distil_faces == "plain"

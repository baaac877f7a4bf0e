"""INT8 is proven or refused."""

import numpy as np
import pytest

from converters.gate import ENOUGH_FACES, ENOUGH_OF_CLASS, judge
from edge_fer.emotions import LABELS

DATA = {"dataset": "made up"}
PERFECT_SHARE = 0.7


def scores(answers: np.ndarray) -> np.ndarray:
    return np.eye(len(LABELS), dtype=np.float32)[answers]


@pytest.fixture
def truth(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, len(LABELS), 4000)


@pytest.fixture
def parent(rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """Right on about 70 % of the faces."""
    wrong = rng.random(len(truth)) > PERFECT_SHARE
    return np.where(wrong, (truth + 1) % len(LABELS), truth)


def spoilt(answers: np.ndarray, count: int, truth: np.ndarray) -> np.ndarray:
    """The first `count` right answers made wrong."""
    child = answers.copy()
    right = np.flatnonzero(answers == truth)[:count]
    child[right] = (truth[right] + 2) % len(LABELS)
    return child


def test_an_equal_child_passes(parent: np.ndarray, truth: np.ndarray) -> None:
    verdict = judge(scores(parent), scores(parent), truth, DATA, 0.01)
    assert verdict.word == "passed"
    assert verdict.agreement.value == 1
    assert verdict.difference is not None
    assert verdict.difference.value == 0


@pytest.mark.parametrize(("lost", "passes"), [(40, True), (41, False)])
def test_a_drop_over_the_limit_is_refused(
    parent: np.ndarray, truth: np.ndarray, lost: int, passes: bool
) -> None:
    verdict = judge(scores(spoilt(parent, lost, truth)), scores(parent), truth, DATA, 0.01)
    assert verdict.passed is passes


def test_a_gain_is_no_drop(parent: np.ndarray, truth: np.ndarray) -> None:
    child = parent.copy()
    wrong = np.flatnonzero(parent != truth)[:200]
    child[wrong] = truth[wrong]
    assert judge(scores(child), scores(parent), truth, DATA, 0.0).passed


def test_low_agreement_is_refused_without_labels_too(parent: np.ndarray) -> None:
    child = np.where(np.arange(len(parent)) % 10 == 0, (parent + 1) % len(LABELS), parent)
    verdict = judge(scores(child), scores(parent), None, DATA, 0.01)
    assert not verdict.passed
    assert "agreement 90.0%" in verdict.reasons[0]


def test_a_child_that_always_answers_one_class_is_named(
    parent: np.ndarray, truth: np.ndarray
) -> None:
    stuck = np.full_like(parent, 4)
    verdict = judge(scores(stuck), scores(parent), truth, DATA, 1.0)
    assert "always answers fear" in verdict.reasons[0]


def test_a_parent_that_is_stuck_itself_excuses_nothing(truth: np.ndarray) -> None:
    stuck = scores(np.full_like(truth, 1))
    assert "always answers happy" in judge(stuck, stuck, truth, DATA, 0.01).reasons[0]
    assert "always answers happy" in judge(stuck, stuck, None, DATA, 0.01).reasons[0]
    faces = np.full_like(truth, 1)
    assert judge(stuck, stuck, faces, DATA, 0.01).passed  # all of them are happy


def test_a_parent_that_guesses_is_told(parent: np.ndarray, truth: np.ndarray) -> None:
    guessed = scores((parent + 3) % len(LABELS))
    assert "WARNING" in judge(guessed, guessed, truth, DATA, 0.01).lines()[-1]
    assert "WARNING" not in judge(scores(parent), scores(parent), truth, DATA, 0.01).lines()[-1]


def test_few_labelled_faces_make_it_provisional(parent: np.ndarray, truth: np.ndarray) -> None:
    few = slice(0, ENOUGH_FACES - 1)
    verdict = judge(scores(parent[few]), scores(parent[few]), truth[few], DATA, 0.01)
    assert verdict.word == "provisional"


def test_without_labels_every_accuracy_says_not_measured(parent: np.ndarray) -> None:
    record = judge(scores(parent), scores(parent), None, DATA, 0.01).to_json()
    for key in ("accuracy", "parent_accuracy", "child_accuracy", "difference", "mcnemar"):
        assert record[key] == "not measured"
    assert record["verdict"] == "provisional"


def weak_in(label: str, lost: int, truth: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """A child that loses `lost` right answers of one class and wins as many in the others."""
    number = LABELS.index(label)
    child = parent.copy()
    right = np.flatnonzero((parent == truth) & (truth == number))[:lost]
    child[right] = (number + 3) % len(LABELS)
    wrong = np.flatnonzero((parent != truth) & (truth != number))[:lost]
    child[wrong] = truth[wrong]
    return child


def test_one_lost_class_is_refused_though_the_average_holds(
    parent: np.ndarray, truth: np.ndarray
) -> None:
    child = weak_in("fear", 50, truth, parent)
    verdict = judge(scores(child), scores(parent), truth, DATA, 0.01)
    assert verdict.difference is not None
    assert verdict.difference.value == 0
    assert [reason.split()[0] for reason in verdict.reasons] == ["fear"]


def test_a_class_that_may_have_lost_too_much_is_not_refused(
    parent: np.ndarray, truth: np.ndarray
) -> None:
    """Its interval still holds what is allowed: nothing is proven."""
    child = weak_in("fear", 20, truth, parent)
    verdict = judge(scores(child), scores(parent), truth, DATA, 0.01)
    assert verdict.classes["fear"].difference.value < -0.03
    assert verdict.passed


def test_a_class_with_few_faces_is_reported_not_judged(
    parent: np.ndarray, truth: np.ndarray
) -> None:
    few = np.ones(len(truth), bool)
    few[np.flatnonzero(truth == LABELS.index("disgust"))[ENOUGH_OF_CLASS - 1 :]] = False
    truth, parent = truth[few], parent[few]
    verdict = judge(scores(weak_in("disgust", 20, truth, parent)), scores(parent), truth, DATA, 0.1)
    assert verdict.passed
    assert not verdict.classes["disgust"].judged
    assert any("worst disgust" in line and "not judged" in line for line in verdict.lines())

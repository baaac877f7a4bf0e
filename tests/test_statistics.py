"""The figures against published values and against other software."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from edge_fer import statistics
from edge_fer.errors import NotFinite


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("figures", [statistics.reliability, statistics.summary])
def test_scores_that_are_no_numbers_have_no_figures(figures, broken):
    scores = np.full((4, 7), 1 / 7)
    scores[2] = broken
    with pytest.raises(NotFinite, match="the scores of 1 of 4 faces are no numbers"):
        figures(scores, np.zeros(4, int))


@pytest.fixture
def drawn():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 7, 400)
    return np.where(rng.random(400) < 0.6, truth, rng.integers(0, 7, 400)), truth


def cells(both, won, lost, neither):
    """Answers, the parent's answers and truth with these counts in the 2x2 table."""
    truth = np.zeros(both + won + lost + neither, int)
    answers = np.repeat([0, 0, 1, 1], (both, won, lost, neither))
    parent = np.repeat([0, 1, 0, 1], (both, won, lost, neither))
    return answers, parent, truth


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [  # Newcombe, Stat. Med. 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(hits, count, low, high):
    found = statistics.wilson(hits, count)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_rate_over_no_faces_is_refused():
    with pytest.raises(ValueError, match="no faces"):
        statistics.wilson(0, 0)


@pytest.mark.parametrize(
    ("won", "lost", "p"),
    [(0, 0, 1.0), (0, 5, 2 / 32), (1, 9, 22 / 1024), (4, 4, 1.0), (3, 7, 352 / 1024)],
)
def test_mcnemar_is_the_exact_binomial_test(won, lost, p):
    assert statistics.mcnemar(*cells(10, won, lost, 3)) == pytest.approx(p)


def test_mcnemar_takes_many_changed_faces():
    assert statistics.mcnemar(*cells(0, 2000, 2600, 0)) < 1e-15


def test_a_paired_difference_with_its_adjusted_interval():
    found = statistics.paired_difference(*cells(80, 5, 10, 5))
    shift = (5.5 - 10.5) / 102
    half = 1.959964 * np.sqrt(((5.5 + 10.5) / 102 - shift**2) / 102)
    assert found.value == pytest.approx(-0.05)
    assert found.low == pytest.approx(shift - half)
    assert found.high == pytest.approx(shift + half)


def test_two_equal_models_differ_by_nothing_within_an_interval():
    found = statistics.paired_difference(*cells(70, 0, 0, 30))
    assert found.value == 0
    assert found.low == pytest.approx(-found.high)
    assert found.high > 0


def test_agreement_counts_equal_labels_right_or_wrong():
    answers, parent = np.array([0, 1, 2, 2]), np.array([0, 1, 2, 3])
    assert statistics.agreement(answers, parent).value == 0.75


def test_macro_f1_is_that_of_scikit_learn(drawn):
    answers, truth = drawn
    expected = f1_score(truth, answers, average="macro")
    assert statistics.macro_f1(answers, truth) == pytest.approx(expected)


def test_macro_f1_leaves_out_classes_that_never_occur():
    answers, truth = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert statistics.macro_f1(answers, truth) == pytest.approx(2 / 3)


def test_confusion_is_that_of_scikit_learn(drawn):
    answers, truth = drawn
    assert (statistics.confusion(answers, truth) == confusion_matrix(truth, answers)).all()


def test_calibration_error_by_hand():
    # Bin 0.6-0.667: sure 0.62, right half the time; bin 0.933-1: sure 1.0, right always.
    best = np.array([0.62, 0.62, 1.0, 1.0])
    scores = np.full((4, 7), 0.0)
    scores[:, 0], scores[:, 1] = best, 1 - best
    truth = np.array([0, 1, 0, 0])
    assert statistics.calibration_error(scores, truth) == pytest.approx(0.12 * 0.5)


def test_balanced_accuracy_is_that_of_scikit_learn(drawn):
    answers, truth = drawn
    expected = balanced_accuracy_score(truth, answers)
    assert statistics.balanced_accuracy(answers, truth) == pytest.approx(expected)


def test_balanced_accuracy_leaves_out_classes_without_faces():
    assert statistics.balanced_accuracy(np.array([0, 0, 5]), np.array([0, 0, 1])) == 0.5


def test_precision_and_recall_are_those_of_scikit_learn(drawn):
    answers, truth = drawn
    found = statistics.summary(np.eye(7)[answers], truth)
    for name, score in (("precision", precision_score), ("recall", recall_score)):
        expected = score(truth, answers, average=None)
        assert list(found[name].values()) == pytest.approx(list(expected))


def test_reliability_bins_hold_confidence_and_accuracy_of_their_faces():
    best = np.array([0.62, 0.66, 1.0])
    scores = np.stack([best, 1 - best], axis=1)
    low, high = statistics.reliability(scores, np.array([0, 1, 0]))
    assert (low.faces, low.confidence, low.accuracy) == (2, pytest.approx(0.64), 0.5)
    assert (high.low, high.high, high.accuracy) == (pytest.approx(14 / 15), 1.0, 1.0)


def test_the_summary_leaves_out_recall_of_absent_expressions():
    found = statistics.summary(np.eye(7)[[0, 1, 1]], np.array([0, 1, 0]))
    assert found["recall"] == {"neutral": 0.5, "happy": 1.0}
    assert (found["faces"], found["accuracy"]) == (3, pytest.approx(2 / 3))


def test_the_paired_bootstrap_agrees_with_drawing_faces_one_by_one():
    answers, parent, truth = cells(200, 10, 25, 65)
    found = statistics.paired_bootstrap(answers, parent, truth)
    rng = np.random.default_rng(5)
    faces = rng.integers(0, len(truth), (4000, len(truth)))
    gains = (answers == truth).astype(int) - (parent == truth)
    low, high = np.percentile(gains[faces].mean(1), (2.5, 97.5))
    assert found.value == pytest.approx(-0.05)
    assert (found.low, found.high) == (
        pytest.approx(low, abs=0.004),
        pytest.approx(high, abs=0.004),
    )


def test_a_bootstrap_over_no_faces_is_refused():
    with pytest.raises(ValueError, match="no faces"):
        statistics.paired_bootstrap(np.array([], int), np.array([], int), np.array([], int))

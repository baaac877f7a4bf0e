"""Two models on the same faces."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.paired import bootstrap, f1_difference, per_class
from edge_fer.statistics import macro_f1, paired_difference


@pytest.fixture
def answers(rng):
    """Truth, a parent that is right on 70 %, and a child that differs on a tenth."""
    truth = rng.integers(0, 7, 2000)
    parent = np.where(rng.random(2000) < 0.7, truth, rng.integers(0, 7, 2000))
    child = np.where(rng.random(2000) < 0.1, rng.integers(0, 7, 2000), parent)
    return truth, parent, child


def test_the_bootstrap_agrees_with_the_closed_form(answers):
    truth, parent, child = answers
    drawn, exact = bootstrap(child, parent, truth), paired_difference(child, parent, truth)
    assert drawn.value == exact.value
    assert (drawn.low, drawn.high) == pytest.approx((exact.low, exact.high), abs=0.003)


def test_equal_answers_differ_by_nothing(answers):
    truth, parent, _ = answers
    for found in (bootstrap(parent, parent, truth), f1_difference(parent, parent, truth)):
        assert (found.value, found.low, found.high) == (0, 0, 0)


def test_the_f1_difference_lies_within_its_interval(answers):
    truth, parent, child = answers
    found = f1_difference(child, parent, truth)
    assert found.value == macro_f1(child, truth) - macro_f1(parent, truth)
    assert found.low < found.value < found.high


def test_drawing_cells_is_drawing_faces(answers):
    truth, parent, child = (values[:300] for values in answers)
    rng = np.random.default_rng(3)
    spread = []
    for _ in range(400):
        i = rng.integers(0, 300, 300)
        spread.append(macro_f1(child[i], truth[i]) - macro_f1(parent[i], truth[i]))
    low, high = np.percentile(spread, (2.5, 97.5))
    found = f1_difference(child, parent, truth)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)


def test_a_class_is_compared_on_its_own_faces():
    truth = np.array([0, 0, 1, 1, 1])
    found = per_class(np.array([0, 0, 1, 0, 0]), np.array([0, 1, 1, 1, 0]), truth)
    assert set(found) == {"neutral", "happy"}
    assert found["neutral"].value == 0.5
    assert found["happy"].value == pytest.approx(-1 / 3)

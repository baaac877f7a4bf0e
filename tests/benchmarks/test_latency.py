"""Latency over scripted workers: no clock, no process."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.latency import cost, is_unsteady, measure, speed, warm_up
from benchmarks.report import Settings
from edge_fer.errors import ConfigError, EngineError

PLAN = Settings(rounds=4, queries=5, warmup=3, settle=2, seed=1)


class Script:
    """A worker that takes a fixed time and writes down when it was asked."""

    def __init__(self, name, log, ns=1_000_000, dies_after=None):
        self.name, self._log, self._ns, self._left = name, log, ns, dies_after

    def time(self, start, count):
        self._log.append((self.name, start, count))
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise EngineError(f"{self.name}: killed")
        return [self._ns * (100 if i < PLAN.settle else 1) for i in range(count)]


def quiet(*_):
    pass


def run(count=3, plan=PLAN):
    log = []
    timings = measure([Script(f"s{i}", log) for i in range(count)], plan, quiet)
    return log, timings


def test_every_round_asks_every_subject_once():
    log, _ = run()
    for i in range(PLAN.rounds):
        assert {name for name, _, _ in log[3 * i : 3 * i + 3]} == {"s0", "s1", "s2"}


def test_subjects_of_a_round_see_the_same_faces():
    log, _ = run()
    assert [len({start for _, start, _ in log[3 * i : 3 * i + 3]}) for i in range(4)] == [1] * 4


def test_the_order_changes_between_rounds_and_repeats_with_the_seed():
    log, _ = run(plan=Settings(rounds=8, queries=1, seed=5))
    orders = [tuple(name for name, _, _ in log[3 * i : 3 * i + 3]) for i in range(8)]
    assert len(set(orders)) > 1
    assert log == run(plan=Settings(rounds=8, queries=1, seed=5))[0]


def test_inferences_in_which_caches_settle_are_dropped():
    _, timings = run()
    assert timings.times["s0"].shape == (PLAN.rounds, PLAN.queries)
    assert (timings.times["s0"] == 1.0).all()


def test_a_subject_that_dies_leaves_the_others_measured():
    log = []
    subjects = [Script("well", log), Script("ill", log, dies_after=2)]
    timings = measure(subjects, PLAN, quiet)
    assert list(timings.times) == ["well"]
    assert str(timings.failures["ill"]) == "ill: killed"
    assert [name for name, _, _ in log].count("ill") == 3


def test_warm_up_gives_the_first_inference_and_asks_for_the_rest():
    log = []
    assert warm_up(Script("s", log, ns=7_000), PLAN) == pytest.approx(0.7)
    assert log == [("s", 0, 1), ("s", 1, 3)]


def test_percentiles_are_times_that_occurred():
    found = cost(1.0, 2.0, 3, np.arange(1.0, 101.0).reshape(4, 25))
    assert (found.p50_ms, found.p90_ms, found.p99_ms, found.count) == (50.0, 90.0, 99.0, 100)


def test_speed_pairs_the_rounds_so_that_drift_cancels():
    drift = np.array([[1.0], [2.0], [10.0]])
    ratio = speed(8 * drift, 2 * drift)
    assert (ratio.value, ratio.low, ratio.high) == (4.0, 4.0, 4.0)


def test_only_a_spread_between_rounds_is_unsteady():
    assert not is_unsteady(np.tile([1.0, 1.0, 9.0], (6, 1)))
    assert is_unsteady(np.tile([[1.0], [1.5]], (3, 4)))


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"queries": 0}, {"warmup": -1}])
def test_settings_that_measure_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match="at least"):
        Settings(**wrong)

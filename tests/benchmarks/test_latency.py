"""Latency over scripted workers: no clock, no process."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.latency import Turn, cost, energy, is_unsteady, measure, medians, speed, warm_up
from benchmarks.records import Settings
from edge_fer.errors import ConfigError, EngineError

PLAN = Settings(rounds=4, queries=5, turn_s=0.0, warmup=3, settle=2, seed=1)


class Script:
    """A worker that takes a fixed time and writes down when it was asked."""

    def __init__(self, name, log, ns=1_000_000, dies_after=None):
        self.name, self._log, self._ns, self._left = name, log, ns, dies_after

    def time(self, start, count, seconds=0.0):
        if count == PLAN.settle:
            return [self._ns * 100] * count
        self._log.append((self.name, start, count))
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise EngineError(f"{self.name}: killed")
        return [self._ns] * count


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
    assert [turn.ms.tolist() for turn in timings.turns["s0"]] == [[1.0] * PLAN.queries] * 4


def test_a_subject_that_dies_leaves_the_others_measured():
    log = []
    subjects = [Script("well", log), Script("ill", log, dies_after=2)]
    timings = measure(subjects, PLAN, quiet)
    assert list(timings.turns) == ["well"]
    assert str(timings.failures["ill"]) == "ill: killed"
    assert [name for name, _, _ in log].count("ill") == 3


def test_warm_up_gives_the_first_inference_and_asks_for_the_rest():
    log = []
    assert warm_up(Script("s", log, ns=7_000), PLAN) == pytest.approx(0.007)
    assert log == [("s", 0, 1), ("s", 1, 3)]


def turns_of(rows):
    return [Turn(np.array(row, float)) for row in rows]


def test_rounds_of_an_earlier_sitting_are_not_measured_again():
    log, kept = [], []
    subjects = [Script("a", log), Script("b", log)]
    earlier = {name: Turn(np.array([7.0])) for name in "ab"}
    timings = measure(
        subjects, PLAN, quiet, done=[earlier, earlier], keep=lambda n, _: kept.append(n)
    )
    assert kept == [2, 3]
    assert [turn.ms[0] for turn in timings.turns["a"]] == [7.0, 7.0, 1.0, 1.0]
    assert len(log) == 4


def test_a_resumed_run_keeps_the_order_of_an_undisturbed_one():
    whole, rest = [], []
    measure([Script(f"s{i}", whole) for i in range(3)], PLAN, quiet)
    done = [{f"s{i}": Turn(np.array([1.0])) for i in range(3)}] * 2
    measure([Script(f"s{i}", rest) for i in range(3)], PLAN, quiet, done=done)
    assert whole[6:] == rest


def test_percentiles_are_times_that_occurred():
    found = cost(1.0, 2.0, (4, 3), turns_of(np.arange(1.0, 101.0).reshape(4, 25)))
    assert (found.p50_ms, found.p90_ms, found.p99_ms, found.count) == (50.0, 90.0, 99.0, 100)
    assert (found.least_ms, found.most_ms, found.timed_s) == (1.0, 100.0, 5.05)
    assert (found.quantiles_ms[0], found.quantiles_ms[100], found.quantiles_ms[-1]) == (1, 50, 100)
    assert (found.peak_rss_bytes, found.steady_rss_bytes) == (4, 3)


def test_rounds_may_have_different_numbers_of_inferences():
    found = cost(1.0, 2.0, (4, 3), turns_of([[1.0] * 9, [3.0]]))
    assert (found.count, found.p50_ms, found.rounds_p50_ms) == (10, 1.0, (1.0, 3.0))


def test_speed_pairs_the_rounds_so_that_drift_cancels():
    drift = np.array([1.0, 2.0, 10.0])
    ratio = speed(8 * drift, 2 * drift)
    assert (ratio.value, ratio.low, ratio.high) == (4.0, 4.0, 4.0)


def test_one_median_of_a_baseline_from_elsewhere_serves_for_all_rounds():
    ratio = speed(np.array([8.0]), np.array([2.0, 4.0]))
    assert (ratio.low, ratio.high) == (2.0, 4.0)


def test_only_a_spread_between_rounds_is_unsteady():
    assert not is_unsteady(turns_of(np.tile([1.0, 1.0, 9.0], (6, 1))))
    assert is_unsteady(turns_of(np.tile([[1.0], [1.5]], (3, 4))))


def test_energy_is_shared_by_all_inferences_of_the_metered_turns():
    ms = np.array([10.0, 10.0])
    found = energy([Turn(ms, 6.0, 3, 0.5), Turn(ms, 2.0, 1, 0.5), Turn(ms)], "a sensor")
    assert (found.joules_per_face, found.watts, found.source) == (2.0, 8.0, "a sensor")


def test_a_counter_that_stands_still_measures_no_energy():
    assert energy([Turn(np.array([1.0]), 0.0, 3, 0.5)], "a sensor") is None
    assert energy([Turn(np.array([1.0]))], "") is None


def test_medians_are_by_round():
    assert medians(turns_of([[1, 2, 9], [4, 4, 4]])).tolist() == [2, 4]


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"queries": 0}, {"warmup": -1}])
def test_settings_that_measure_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match="at least"):
        Settings(**wrong)

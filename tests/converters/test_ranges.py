"""Rules for ranges, on numbers whose best range is known."""

import numpy as np
import pytest

from converters.activations import Activations
from converters.ir import LEVELS, on_grid
from converters.ranges import RULES, STEPS, Seen, entropy, mean, percentile, squared_error


@pytest.fixture
def seen(rng: np.random.Generator) -> Seen:
    """Bell-shaped values of 200 faces, of which one holds a spike ten times as high."""
    values = rng.normal(0, 1, (200, 500)).astype(np.float32)
    values[7, 3] = 40
    return Seen(values.min(1), values.max(1), values.ravel())


def error(seen: Seen, found: tuple[float, float]) -> float:
    low, high = found
    step = (high - low) / STEPS
    nearest = np.clip(np.round((seen.values - low) / step), 0, STEPS) * step + low
    return float(np.square(nearest - seen.values).mean())


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_gives_a_range_around_zero(name: str, seen: Seen) -> None:
    low, high = RULES[name](seen)
    assert low < 0 < high


def test_min_max_holds_the_spike_and_a_percentile_does_not(seen: Seen) -> None:
    assert RULES["min-max"](seen)[1] == 40
    assert percentile(seen, 99)[1] < 10
    assert mean(seen)[1] < percentile(seen, 99)[1]


def test_the_squared_error_rule_beats_the_extremes(seen: Seen) -> None:
    best = error(seen, squared_error(seen))
    assert best <= min(error(seen, RULES["min-max"](seen)), error(seen, (-10.0, 10.0)))


def test_the_entropy_rule_cuts_a_spike_that_would_leave_few_steps_for_the_rest(
    rng: np.random.Generator,
) -> None:
    values = rng.normal(0, 1, (200, 500)).astype(np.float32)
    values[7, 3] = 400
    assert entropy(Seen(values.min(1), values.max(1), values.ravel()))[1] < 100


def test_entropy_keeps_a_flat_distribution_whole() -> None:
    flat = np.linspace(0, 1, 100_000, dtype=np.float32)
    assert entropy(Seen(flat[:1], flat[-1:], flat))[1] > 0.95


@pytest.mark.parametrize(
    "wanted", [(-1.0, 3.0), (-0.001, 5.0), (-4.0, 0.0), (0.0, 6.0), (2.0, 6.0)]
)
def test_zero_is_a_step_and_nothing_is_cut_off(wanted: tuple[float, float]) -> None:
    low, high = on_grid(*wanted)
    step = (high - low) / (LEVELS - 1)
    assert low / step == pytest.approx(round(low / step), abs=1e-6)
    assert low <= wanted[0] + 1e-9
    assert high >= wanted[1] - 1e-9


def test_activations_give_one_range_a_tensor() -> None:
    lows, highs = np.zeros((3, 2), np.float32), np.array([[1, 5], [2, 6], [3, 7]], np.float32)
    assert Activations(("a", "b"), lows, highs).ranges(RULES["min-max"]) == {
        "a": (0.0, 3.0),
        "b": (0.0, 7.0),
    }

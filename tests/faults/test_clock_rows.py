"""Rows T1, T2 and G5: clocks that jump, machines that sleep, and the exit statuses."""

import pytest

from edge_fer.daemon.wall_clock import WallClock
from edge_fer.errors import BundleError, ConfigError, EngineError, InUse
from edge_fer.telemetry.metrics import Metrics

HOUR, YEARS = 3600.0, 10 * 365 * 86400.0


class Clocks:
    """A wall clock and the time that passes."""

    def __init__(self, wall: float = 1.8e9) -> None:
        self.wall, self.passed = wall, 1000.0

    def tick(self, seconds: float, step: float = 0.0) -> None:
        self.passed += seconds
        self.wall += seconds + step


def jumps(metrics: Metrics) -> tuple[float, float]:
    return metrics.clock_jumps.value("forward"), metrics.clock_jumps.value("backward")


@pytest.mark.parametrize(
    ("step", "counted"),
    [
        (HOUR, (1, 0)), (-HOUR, (0, 1)), (YEARS, (1, 0)), (-1.8e9, (0, 1)),
        (0.5, (0, 0)), (-0.5, (0, 0)),
    ],
)  # fmt: skip
def test_t1_a_step_of_the_clock_is_counted_once(step: float, counted: tuple[float, float]) -> None:
    clocks, metrics = Clocks(), Metrics()
    clock = WallClock(metrics, lambda: clocks.wall, lambda: clocks.passed)
    for i in range(100):
        clocks.tick(0.2, step if i == 50 else 0.0)
        clock.look()
    assert jumps(metrics) == counted


def test_t1_a_clock_that_is_slewed_does_not_jump() -> None:
    clocks, metrics = Clocks(), Metrics()
    clock = WallClock(metrics, lambda: clocks.wall, lambda: clocks.passed)
    for _ in range(10_000):
        clocks.tick(0.2, 0.0001)
        clock.look()
    assert jumps(metrics) == (0, 0)


def test_t2_a_suspend_is_no_step() -> None:
    clocks, metrics = Clocks(), Metrics()
    clock = WallClock(metrics, lambda: clocks.wall, lambda: clocks.passed)
    clocks.tick(8 * HOUR)
    clock.look()
    assert jumps(metrics) == (0, 0)


def test_g5_only_a_wrong_configuration_is_not_started_again() -> None:
    statuses = {error.exit_code for error in (ConfigError, BundleError)}
    assert statuses == {78}
    assert (EngineError.exit_code, InUse.exit_code) == (70, 75)

"""Steps of the wall clock, told apart from time that passes: counted, never acted upon."""

from __future__ import annotations

import time
from collections.abc import Callable

from edge_fer.metrics import Metrics
from edge_fer.notices import notice

STEP_S = 1.0
"""Less is the slewing of a clock that is kept right."""


def since_boot() -> float:
    """Seconds that passed, also while the machine slept: a suspend is no step."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class WallClock:
    """Looked at now and then."""

    def __init__(
        self,
        metrics: Metrics,
        wall: Callable[[], float] = time.time,
        passed: Callable[[], float] = since_boot,
    ) -> None:
        self._metrics, self._wall, self._passed = metrics, wall, passed
        self._offset = wall() - passed()
        for direction in ("forward", "backward"):
            metrics.clock_jumps.add(0, direction)

    def look(self) -> None:
        """Count a step since the last look."""
        offset = self._wall() - self._passed()
        step, self._offset = offset - self._offset, offset
        if abs(step) >= STEP_S:
            direction = "forward" if step > 0 else "backward"
            self._metrics.clock_jumps.add(1, direction)
            notice(f"the clock was set {direction} by {abs(step):.0f} s")

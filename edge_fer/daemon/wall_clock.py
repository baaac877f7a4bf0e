"""The wall clock: whether it is kept right, and its steps, which are counted, never acted upon."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable

from edge_fer.notices import notice
from edge_fer.telemetry.metrics import Metrics

SYNCHRONIZED = "/run/systemd/timesync/synchronized"
"""Made by systemd-timesyncd once the clock has been set."""
TIME_ERROR = 5
"""Answer of adjtimex(2): the clock is not synchronised."""
STEP_S = 1.0
"""Less is the slewing of a clock that is kept right."""

_libc = ctypes.CDLL(None)


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


def clock_synced() -> bool:
    """True when something keeps this machine's clock right.

    systemd-timesyncd leaves a file; for chrony and ntpd the kernel is asked (adjtimex(2) with
    modes 0 only reads). False when neither says so.
    """
    if os.path.exists(SYNCHRONIZED):
        return True
    # struct timex has at most 208 bytes; modes, its first field, stays 0.
    answer: int = _libc.adjtimex(ctypes.create_string_buffer(512))
    return answer not in (-1, TIME_ERROR)

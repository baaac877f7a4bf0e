"""When a lost camera is tried again: ever more seldom, at once when something was plugged in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, repeat

from edge_fer.cameras.v4l2.names import present
from edge_fer.daemon.clock import Clock

RETRY_S = (1.0, 2.0, 4.0, 8.0, 16.0)
SLOWEST_RETRY_S = 30.0
"""Every later attempt."""
JITTER = 0.2
"""Share by which a wait varies, so that many devices do not try in step."""
ARRIVALS_S = 0.5
"""How often a wait looks whether a camera was plugged in."""


class Retries:
    """Of one camera."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._there: set[str] = set()
        self.anew()

    def anew(self) -> None:
        """The next failure is a first one again."""
        self._waits = retry_waits()

    def begin(self) -> None:
        """An attempt has failed: the next wait begins."""
        self._until = self._clock.now() + next(self._waits)
        self._arrived()

    @property
    def due(self) -> bool:
        """True when the wait is over."""
        now = self._clock.now()
        if now >= self._until:
            return True
        if now < self._look or not self._arrived():
            return False
        # udev may still be busy with it: should this attempt fail, the next comes soon.
        self.anew()
        return True

    def _arrived(self) -> bool:
        """Look; True when there is more than at the last look."""
        self._look, before = self._clock.now() + ARRIVALS_S, self._there
        with suppress(OSError):  # no descriptor is left to look with
            self._there = set(present())
        return bool(self._there - before)


def retry_waits() -> Iterator[float]:
    """Seconds between attempts to open a camera: 1, 2, 4, 8, 16, then 30, each +-20 %."""
    for seconds in chain(RETRY_S, repeat(SLOWEST_RETRY_S)):
        yield seconds * random.uniform(1 - JITTER, 1 + JITTER)

"""The time by which the daemon decides; tests bring one of their own."""

from __future__ import annotations

import threading
from time import monotonic


class Clock:
    """Monotonic seconds, which no step of the wall clock and no suspend moves, and waiting."""

    def now(self) -> float:
        """Seconds."""
        return monotonic()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Until so many seconds have gone by, or the event is set."""
        stop.wait(seconds)

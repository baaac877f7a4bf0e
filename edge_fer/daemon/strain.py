"""What strains the daemon: heat, a weak supply, a sink that cannot deliver."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from time import monotonic

from edge_fer.daemon.events import Events
from edge_fer.notices import notice
from edge_fer.sinks import Sinks
from edge_fer.telemetry.thermal import Thermometer

LOOK_S = 1.0
"""Between two looks; the thermometer reads every 5 s, and 10 s are promised in all."""
THROTTLED = ("freq_capped", "throttled")
"""Slowed down, by heat or by a weak supply."""


class Strain:
    """Looked at by the loop; an event tells each change of the reasons."""

    def __init__(
        self,
        thermometer: Thermometer,
        sinks: Sinks,
        events: Events,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._thermometer, self._sinks, self._events = thermometer, sinks, events
        self._clock = clock
        self._due, self._said = -math.inf, list[str]()

    def turn(self) -> None:
        """Say what has changed since the last look."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + LOOK_S
        reasons = [*machine_troubles(self._thermometer.flags), *self._sinks.troubles]
        if reasons == self._said:
            return
        notice(f"degraded: {', '.join(reasons)}" if reasons else "not degraded any more")
        self._said = reasons
        self._sinks.write(self._events.strained(*reasons))


def machine_troubles(flags: Mapping[str, bool]) -> Iterator[str]:
    """`power` and `thermal`, by the board's own flags.

    A Raspberry Pi also slows down for a weak supply: that is no heat.
    """
    weak = flags.get("under_voltage", False)
    if weak:
        yield "power"
    slowed = any(flags.get(name) for name in THROTTLED) and not weak
    if flags.get("soft_temp_limit") or slowed:
        yield "thermal"

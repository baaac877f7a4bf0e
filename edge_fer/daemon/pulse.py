"""Whether the daemon still works: what its loop does, since when, and how long that may take."""

from __future__ import annotations

import faulthandler
import sys
import threading
from collections.abc import Callable
from time import monotonic, time

from edge_fer.daemon.service import Service
from edge_fer.notices import notice
from edge_fer.telemetry.metrics import Metrics

LIMITS_S = {"infer": 10.0, "camera": 60.0, "load": 90.0}
"""Seconds that one step may take. An inference that takes longer hangs; a camera is opened by
drivers that wait for networks and buses; a model comes from a slow card, twice."""
LOOK_S = 0.5
"""How often the loop is looked at."""
ASLEEP_S = 2.0
"""A look that comes so much too late: this process did not run at all (suspended, stopped)."""
HANGING = 70
"""Exit status: a new process gets a new runtime, which nothing else can give (sysexits.h)."""


class Pulse:
    """Told by the loop, read by the watchdog; monotonic seconds, so a clock that jumps is nothing.

    A camera that is lost or waited for is no stall: the loop goes round all the same.
    """

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = monotonic) -> None:
        self._metrics, self._clock = metrics, clock
        self._now = ("camera", clock())

    def beat(self, stage: str = "infer") -> None:
        """The loop goes round, or begins a step: `infer` or `camera`."""
        self._now = (stage, self._clock())
        if stage == "infer":
            self._metrics.loops.set(time(), stage)

    @property
    def stage(self) -> str:
        """What the loop does now."""
        return self._now[0]

    def excuse(self) -> None:
        """Nothing ran for a while, so the step begins anew."""
        self._now = (self._now[0], self._clock())

    def stalled(self) -> str:
        """What takes too long, in words; empty while all is well."""
        stage, since = self._now
        lasted = self._clock() - since
        return f"{stage} takes {lasted:.0f} s" if lasted > LIMITS_S[stage] else ""


class Meanwhile:
    """Pings systemd while there is no loop yet, for as long as loading may take.

    A process that came back by execve(2) is watched from its first moment: systemd has heard READY.
    """

    def __init__(self, service: Service, needed: bool = True) -> None:
        self._service, self._stop = service, threading.Event()
        self._thread = threading.Thread(target=self._run, name="meanwhile", daemon=True)
        if needed and service.watchdog_s is not None:
            service.alive()
            self._thread.start()

    def close(self) -> None:
        """The loop pings from now on."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        period = min(LOOK_S, (self._service.watchdog_s or 60.0) / 3)
        deadline = monotonic() + LIMITS_S["load"]
        while not self._stop.wait(period) and monotonic() < deadline:
            self._service.alive()


class Watchdog:
    """A thread: it pings systemd while the loop works, and ends the process when it hangs.

    No code can stop a native call that never returns; a new process can be had in two seconds.
    """

    def __init__(
        self,
        pulse: Pulse,
        metrics: Metrics,
        service: Service,
        end: Callable[[int], None],
    ) -> None:
        self._pulse, self._metrics, self._service, self._end = pulse, metrics, service, end
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin; the loop must beat from now on."""
        self._pulse.beat("camera")
        self._thread.start()

    def close(self) -> None:
        """Look no more; what still hangs is then the signals' business."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        period = min(LOOK_S, (self._service.watchdog_s or 60.0) / 3)
        looked = monotonic()
        while not self._stop.wait(period):
            if monotonic() - looked > period + ASLEEP_S:
                self._pulse.excuse()
            looked = monotonic()
            if why := self._pulse.stalled():
                self._give_up(why)
                return
            self._service.alive()
            self._metrics.pings.add(1)

    def _give_up(self, why: str) -> None:
        self._metrics.inference_failed("timeout")
        notice(f"{why}: it hangs", "error")
        if sys.__stderr__ is not None:
            faulthandler.dump_traceback(sys.__stderr__, all_threads=True)
        self._end(HANGING)

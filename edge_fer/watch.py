"""One camera, followed through its losses and returns: the loop of the daemon."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from itertools import chain, repeat
from time import monotonic

from edge_fer.analysis import Analysis
from edge_fer.cameras import open_camera
from edge_fer.cameras.latest import Latest
from edge_fer.config import RunConfig
from edge_fer.errors import CameraError
from edge_fer.events import Events
from edge_fer.metrics import Metrics
from edge_fer.notices import notice
from edge_fer.protocols import Camera
from edge_fer.rounds import Rounds
from edge_fer.sinks import Sinks

POLL_S = 0.2
"""How often a wait for a frame looks whether it should go on."""
FILE_BACKLOG = 64
"""Undelivered events at which the reading of a file waits; a queue holds 256."""
READER_S = 0.01
"""How often such a wait looks again."""
STALLED_S = 10.0
"""Without a frame for so long, a live camera is opened again."""
OLDEST_S = 1.0
"""A live camera's frame that is older says nothing about now."""
RELEASE_S = 1.0
"""Longest wait for a camera to close; a driver may never return."""
RETRY_S = (1.0, 2.0, 4.0, 8.0, 16.0)
SLOWEST_RETRY_S = 30.0
"""Every later attempt."""
JITTER = 0.2
"""Share by which a wait varies, so that many devices do not try in step."""


class Watch:
    """Follows one camera through its losses and returns."""

    def __init__(
        self,
        analysis: Analysis,
        sinks: Sinks,
        events: Events,
        metrics: Metrics,
        rounds: Rounds,
        stop: threading.Event,
    ) -> None:
        self._analysis, self._rounds = analysis, rounds
        self._sinks, self._events, self._stop = sinks, events, stop
        self._metrics = metrics
        self._state, self._spec = "starting", ""
        self._waits = retry_waits()
        self._updates = 0

    def run(self) -> None:
        """Until stopped, enough events, the last reader's leaving, or the end of a file."""
        while not self._done():
            live, self._spec = True, self._config.camera
            try:
                self._rounds.opening()
                camera = open_camera(self._spec)
                live = camera.live
                self._follow(camera)
                if not self._moved:
                    return
                self._metrics.reopens.add(1, self._config.camera_id, "config")
                continue
            except CameraError as error:
                if not live:
                    raise
                self._enter("lost", f"{error}; trying again")
                reason = "stalled" if self._state == "stalled" else "error"
                self._metrics.reopens.add(1, self._config.camera_id, reason)
            self._pause(next(self._waits))

    @property
    def _config(self) -> RunConfig:
        return self._analysis.config

    @property
    def _moved(self) -> bool:
        """True when a reload wants another camera."""
        return self._config.camera != self._spec and not self._done()

    def _pause(self, seconds: float) -> None:
        """Wait for the next attempt, but hear what else is wanted."""
        end = monotonic() + seconds
        while not (self._done() or self._moved) and (left := end - monotonic()) > 0:
            self._rounds.turn()
            self._stop.wait(min(left, POLL_S))

    def _done(self) -> bool:
        enough = self._config.events is not None and self._updates >= self._config.events
        return self._stop.is_set() or enough or not self._sinks.open

    def _follow(self, camera: Camera) -> None:
        """Analyse an open camera's frames; raises CameraError when a live one ends."""
        self._analysis.opened(camera.live)
        latest = Latest(camera)
        try:
            self._analyse_all(latest)
            if not (self._done() or self._moved):
                latest.next(0)  # raises the camera's error, if that was its end
                if camera.live:
                    raise CameraError(f"camera {self._config.camera} has ended")
        finally:
            _release(latest)

    def _analyse_all(self, latest: Latest) -> None:
        last, arrived = -1, monotonic()
        while not (self._done() or self._moved):
            self._rounds.turn()
            if not latest.live:
                self._wait_for_readers(FILE_BACKLOG)
            frame = latest.next(POLL_S)
            if frame is not None:
                arrived = monotonic()
                if not self._sinks.enabled:
                    self._enter("disabled", "switched off")
                    last = frame.index
                    continue
                self._enter("ok", "gives frames again")
                if latest.live and arrived - frame.captured > OLDEST_S:
                    self._metrics.frame_left_out(self._config.camera_id, "too_old")
                else:
                    missed = max(frame.index - last - 1, 0)
                    if self._analysis.take(frame, missed):
                        last = frame.index
                        self._updates += 1
            elif latest.ended:
                self._wait_for_readers(0)
                return
            elif latest.live and monotonic() - arrived > STALLED_S:
                self._enter("stalled", f"no frame for {STALLED_S:.0f} s; opening it again")
                raise CameraError(f"camera {self._config.camera} has stalled")

    def _wait_for_readers(self, backlog: int) -> None:
        """A file can wait for a slow reader, so none of its events is lost."""
        while self._sinks.backlog > backlog and not self._stop.wait(READER_S):
            self._rounds.turn()

    def _enter(self, state: str, why: str) -> None:
        """Emit a change of the camera's state, and say it; a stalled camera stays so while lost."""
        if state == self._state or (state, self._state) == ("lost", "stalled"):
            return
        if self._state != "starting" or state != "ok":
            notice(f"camera state {state}: {why}", "info" if state == "ok" else "warning")
        if state == "ok":
            self._waits = retry_waits()
        self._state = state
        self._sinks.write(self._events.state(state))


def retry_waits() -> Iterator[float]:
    """Seconds between attempts to open a camera: 1, 2, 4, 8, 16, then 30, each +-20 %."""
    for seconds in chain(RETRY_S, repeat(SLOWEST_RETRY_S)):
        yield seconds * random.uniform(1 - JITTER, 1 + JITTER)


def _release(latest: Latest) -> None:
    """Close a camera, but do not wait long for a driver that hangs."""
    thread = threading.Thread(target=latest.close, name="release", daemon=True)
    thread.start()
    thread.join(RELEASE_S)

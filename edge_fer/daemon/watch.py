"""One camera, followed through its losses and returns: the loop of the daemon."""

from __future__ import annotations

import errno
import threading
from typing import Any

from edge_fer.cameras import open_camera, shown
from edge_fer.cameras.health import MEANINGS, Health
from edge_fer.cameras.latest import Latest
from edge_fer.config import RunConfig
from edge_fer.daemon.analysis import Analysis
from edge_fer.daemon.clock import Clock
from edge_fer.daemon.events import Events
from edge_fer.daemon.pace import Pace
from edge_fer.daemon.retries import Retries
from edge_fer.daemon.rounds import Rounds
from edge_fer.errors import CameraError, NoFrames
from edge_fer.notices import Seldom, notice
from edge_fer.sinks import Sinks
from edge_fer.telemetry.metrics import Metrics
from edge_fer.types import Frame

POLL_S = 0.05
"""The loop goes round at least so often, whatever camera or driver does."""
FILE_BACKLOG = 64
"""Undelivered events at which the reading of a file waits; a queue holds 256."""
READER_S = 0.01
"""How often such a wait looks again."""
OLDEST_S = 1.0
"""A live camera's frame that is older says nothing about now."""
RELEASE_S = 1.0
"""Longest wait for a camera to close at the end; its process ends with this one."""
REMIND_S = 60.0
SHORTAGE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
"""What ends an opening, down to the import of a module, and passes."""


class GivenUp(CameraError):
    """An open camera is closed and opened again; `reason` as in the metric of reopenings."""

    def __init__(self, text: str, reason: str, at_once: bool) -> None:
        super().__init__(text)
        self.reason, self.at_once = reason, at_once


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
        clock: Clock | None = None,
    ) -> None:
        self._analysis, self._rounds = analysis, rounds
        self._sinks, self._events = sinks, events
        self._metrics, self._stop, self._clock = metrics, stop, clock or Clock()
        self._spec = self._name = ""
        self._memory: dict[str, str] = {}
        self._health = Health()
        self._state, self._said = "starting", self._clock.now()
        self._retries = Retries(self._clock)
        self._captured: float | None = None
        self._came = self._clock.now()
        self._reopened_frozen = False
        self._seldom = Seldom()

    def run(self) -> None:
        """Until stopped, enough events, the last reader's leaving, or the end of a file.

        Raises NoFrames once the patience that was asked for has ended.
        """
        self._follow_all()
        if self._impatient and not self._stop.is_set():
            waited = f"camera {self._name} has given no frame for {self._config.patience_s:.0f} s"
            raise NoFrames(f"{waited}, and the patience that was configured has ended")

    def _follow_all(self) -> None:
        while not self._done():
            live = True
            self._take_up(self._config.camera)
            try:
                self._rounds.opening()
                camera = open_camera(self._spec, self._memory)
                live = camera.live
                self._follow(camera if hasattr(camera, "next") else Latest(camera))
                if not self._moved:
                    return
                self._metrics.reopens.add(1, self._config.camera_id, "config")
            except CameraError as error:
                if not live:
                    raise
                self._lose(error)
            except OSError as error:
                if error.errno not in SHORTAGE:
                    raise
                why = f"cannot be opened now ({error.strerror})"
                self._lose(CameraError(f"camera {self._name} {why}"))

    @property
    def _config(self) -> RunConfig:
        return self._analysis.config

    @property
    def _moved(self) -> bool:
        """True when a reload wants another camera."""
        return self._config.camera != self._spec and not self._done()

    def _take_up(self, spec: str) -> None:
        """The next opening is of this camera; nothing that another one taught is true of it."""
        if spec != self._spec:
            self._spec, self._name = spec, shown(spec)
            self._memory, self._health = {}, Health()
            self._retries.anew()

    def _done(self) -> bool:
        enough = self._config.events
        satisfied = enough is not None and self._analysis.updates >= enough
        return self._stop.is_set() or satisfied or not self._sinks.open or self._impatient

    @property
    def _impatient(self) -> bool:
        """True when the only thing left to do is what only an operator can allow: a new process.

        With a drop-in that limits the starts, the last step of this ladder is a reboot.
        """
        patience_s = self._config.patience_s
        return patience_s is not None and self._clock.now() - self._came > patience_s

    def _follow(self, camera: Any) -> None:
        """Analyse an open camera's frames; raises CameraError when a live one ends."""
        self._analysis.begin(camera.live)
        self._health.begin()
        try:
            self._take_all(camera)
            if not (self._done() or self._moved):
                camera.next(0)  # raises the camera's error, if that was its end
                if camera.live:
                    raise CameraError(f"camera {self._name} has ended")
        finally:
            self._release(camera)

    def _take_all(self, camera: Any) -> None:
        pace = Pace(self._clock.now(), getattr(camera, "interval_s", 0.0))
        while not (self._done() or self._moved):
            self._rounds.turn()
            if not camera.live:
                self._wait_for_readers(FILE_BACKLOG)
            frame = camera.next(POLL_S)
            for reason, count in camera.left_out().items():
                self._leave_out(reason, count)
            if frame is not None and camera.live and frame.captured == self._captured:
                self._leave_out("repeat")
            elif frame is not None:
                pace.arrived(frame, self._clock.now())
                self._metrics.frame_taken(getattr(camera, "decode_s", None))
                self._take(frame, camera)
                continue
            if camera.ended:
                self._wait_for_readers(0)
                return
            if camera.live and pace.overdue(self._clock.now()):
                self._stall(pace)

    def _take(self, frame: Frame, camera: Any) -> None:
        self._captured, self._came = frame.captured, self._clock.now()
        state = "ok" if self._sinks.enabled else "disabled"
        if state == "ok" and hasattr(camera, "moves"):  # a device; drawn pictures are never ill
            state = self._health.state(frame, moves=camera.moves)
        self._enter(state, MEANINGS[state])
        if state != "ok":
            self._analysis.skip(frame)
            self._thaw(state)
        elif camera.live and self._clock.now() - frame.captured > OLDEST_S:
            self._leave_out("too_old")
        else:
            self._reopened_frozen = False
            self._analysis.analyse(frame)

    def _thaw(self, state: str) -> None:
        """Open a frozen camera again, once; if that does not help, its state tells."""
        if state == "frozen" and not self._reopened_frozen:
            self._reopened_frozen = True
            raise GivenUp(f"camera {self._name} is frozen", "frozen", at_once=True)

    def _stall(self, pace: Pace) -> None:
        self._enter("stalled", f"no frame for {pace.limit_s:.0f} s; opening it again")
        # A camera that has never given a frame would be opened again and again.
        raise GivenUp(f"camera {self._name} has stalled", "stalled", at_once=not pace.silent)

    def _leave_out(self, reason: str, count: int = 1) -> None:
        for _ in range(count):
            self._metrics.frame_left_out(self._config.camera_id, reason)

    def _wait_for_readers(self, backlog: int) -> None:
        """A file can wait for a slow reader, so none of its events is lost."""
        while self._sinks.backlog > backlog and not self._stop.is_set():
            self._rounds.turn()
            self._clock.wait(self._stop, READER_S)

    def _lose(self, error: CameraError) -> None:
        """Count it, say it, and wait before the camera is tried again."""
        given_up = error if isinstance(error, GivenUp) else None
        self._metrics.reopens.add(
            1, self._config.camera_id, given_up.reason if given_up else "error"
        )
        if given_up is None:
            self._enter("lost", f"{error}; trying again")
            self._remind(error)
        if given_up is None or not given_up.at_once:
            self._retries.begin()
            while not (self._done() or self._moved or self._retries.due):
                self._tick()

    def _remind(self, error: CameraError) -> None:
        """Say once in a minute that nothing has changed."""
        if self._clock.now() - self._said >= REMIND_S:
            self._said = self._clock.now()
            notice(f"camera is still {self._state}: {error}")

    def _release(self, camera: Any) -> None:
        """Close a camera while the loop goes on: a driver may take seconds, or never return."""
        thread = threading.Thread(target=camera.close, name="release", daemon=True)
        thread.start()
        if self._done():
            thread.join(RELEASE_S)
        while not self._done() and (thread.is_alive() or not camera.gone):
            if not thread.is_alive():
                self._seldom.notice(
                    f"camera {self._name}: its driver keeps a process that cannot be killed; "
                    "if it does not return, only a reboot helps"
                )
            self._tick()

    def _tick(self) -> None:
        """A short wait in a loop that is alive."""
        self._rounds.turn()
        self._clock.wait(self._stop, POLL_S)

    def _enter(self, state: str, why: str) -> None:
        """Emit a change of the camera's state, and say it; a stalled camera stays so while lost."""
        if state == self._state or (state, self._state) == ("lost", "stalled"):
            return
        if self._state != "starting" or state != "ok":
            notice(f"camera state {state}: {why}")
        if state == "ok":
            self._retries.anew()
        self._state, self._said = state, self._clock.now()
        self._sinks.write(self._events.state(state))

"""One camera, followed through its losses and returns: the loop of the daemon."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from itertools import chain, repeat
from time import monotonic, time

from edge_fer.bundle import Bundle
from edge_fer.cameras import open_camera
from edge_fer.cameras.latest import Latest
from edge_fer.config import RunConfig
from edge_fer.errors import CameraError, EngineError, NotFinite
from edge_fer.events import Events
from edge_fer.metrics import Metrics
from edge_fer.notices import Seldom, notice
from edge_fer.pipeline import Recognizer
from edge_fer.protocols import Camera, Engine, FaceDetector
from edge_fer.sinks import Sinks
from edge_fer.tracking import Tracker
from edge_fer.types import Frame

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
MOST_FAILURES = 10
"""Frames in a row whose analysis fails before the daemon ends with 70."""


class Watch:
    """Follows one camera through its losses and returns."""

    def __init__(
        self,
        config: RunConfig,
        bundle: Bundle,
        engine: Engine,
        detector: FaceDetector,
        sinks: Sinks,
        events: Events,
        metrics: Metrics,
        stop: threading.Event,
    ) -> None:
        self._config, self._manifest = config, bundle.manifest
        self._engine, self._detector = engine, detector
        self._sinks, self._events, self._stop = sinks, events, stop
        self._metrics = metrics
        self._tracker = Tracker()
        self._state = "starting"
        self._waits = retry_waits()
        self._updates = self._failures = 0
        self._seldom = Seldom()

    def run(self) -> None:
        """Until stopped, enough events, the last reader's leaving, or the end of a file."""
        while not self._done():
            live = True
            try:
                camera = open_camera(self._config.camera)
                live = camera.live
                self._follow(camera)
                return
            except CameraError as error:
                if not live:
                    raise
                self._enter("lost", f"{error}; trying again")
                reason = "stalled" if self._state == "stalled" else "error"
                self._metrics.reopens.add(1, self._config.camera_id, reason)
            self._stop.wait(next(self._waits))

    def _done(self) -> bool:
        enough = self._config.events is not None and self._updates >= self._config.events
        return self._stop.is_set() or enough or not self._sinks.open

    def _follow(self, camera: Camera) -> None:
        """Analyse an open camera's frames; raises CameraError when a live one ends."""
        recognizer = self._recognizer(camera.live)
        latest = Latest(camera)
        try:
            self._analyse_all(latest, recognizer)
            if not self._done():
                latest.next(0)  # raises the camera's error, if that was its end
                if camera.live:
                    raise CameraError(f"camera {self._config.camera} has ended")
        finally:
            _release(latest)

    def _recognizer(self, live: bool) -> Recognizer:
        """A new one for each opening, with the old track numbers."""
        floor = self._config.abstain_below
        return Recognizer(
            self._detector,
            self._engine,
            self._manifest.input_size,
            self._manifest.abstain_below if floor is None else floor,
            self._config.most_faces,
            # Files are read at the machine's pace: seconds between their frames mean nothing.
            self._config.smoothing_s if live else 0.0,
            self._tracker,
        )

    def _analyse_all(self, latest: Latest, recognizer: Recognizer) -> None:
        last, arrived = -1, monotonic()
        while not self._done():
            self._metrics.loops.set(time(), "infer")
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
                    last = self._analyse(recognizer, frame, last)
            elif latest.ended:
                self._wait_for_readers(0)
                return
            elif latest.live and monotonic() - arrived > STALLED_S:
                self._enter("stalled", f"no frame for {STALLED_S:.0f} s; opening it again")
                raise CameraError(f"camera {self._config.camera} has stalled")

    def _wait_for_readers(self, backlog: int) -> None:
        """A file can wait for a slow reader, so none of its events is lost."""
        while self._sinks.backlog > backlog and not self._stop.wait(READER_S):
            pass

    def _analyse(self, recognizer: Recognizer, frame: Frame, last: int) -> int:
        """Emit one frame's event; gives the index of the last frame that had one."""
        try:
            recognition = recognizer.recognize(frame)
        except Exception as error:  # whatever a runtime raises, one frame is not the end
            self._failed(error)
            self._sinks.show(frame.image, None)
            return last
        self._failures = 0
        self._sinks.write(self._events.update(recognition, max(frame.index - last - 1, 0)))
        self._sinks.show(frame.image, recognition.predictions)
        self._updates += 1
        return frame.index

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._metrics.inference_failed("nan" if isinstance(error, NotFinite) else "exception")
        if self._failures >= MOST_FAILURES:
            raise EngineError(f"{MOST_FAILURES} frames in a row failed: {error}") from error
        self._seldom.notice(f"a frame was left out: {type(error).__name__}: {error}")

    def _enter(self, state: str, why: str) -> None:
        """Emit a change of the camera's state, and say it; a stalled camera stays so while lost."""
        if state == self._state or (state, self._state) == ("lost", "stalled"):
            return
        if self._state != "starting" or state != "ok":
            notice(f"camera state {state}: {why}")
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

"""From a frame to events: recognise, follow each face from its coming to its going, tell or sum up.

Where windows are asked for, this is the one place that faces could pass: none does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic

import numpy as np

from edge_fer.config import RunConfig
from edge_fer.daemon.aggregate import Windows
from edge_fer.daemon.events import Event, Events
from edge_fer.daemon.model import Model, load_model, open_fallback, release
from edge_fer.daemon.pulse import Pulse
from edge_fer.daemon.visits import Visits
from edge_fer.errors import EdgeFerError, EngineError, NotFinite
from edge_fer.finding import Search
from edge_fer.notices import Seldom, notice
from edge_fer.pipeline import Recognition, Recognizer
from edge_fer.protocols import FaceDetector
from edge_fer.sinks import Sinks
from edge_fer.telemetry.metrics import Metrics
from edge_fer.tracking import Tracker
from edge_fer.types import Frame

MOST_FAILURES = 10
"""Frames in a row whose analysis fails before the engine is opened again."""
MOST_RESTARTS = 3
"""Times that an engine is opened again, in a row, before the fallback, or the end with 70."""


class Analysis:
    """Used in one thread; monotonic seconds throughout."""

    def __init__(
        self,
        config: RunConfig,
        model: Model,
        detector: FaceDetector,
        sinks: Sinks,
        events: Events,
        metrics: Metrics,
        pulse: Pulse,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._sinks, self._events, self._metrics = sinks, events, metrics
        self._pulse, self._clock = pulse, clock
        self._tracker = Tracker()
        self._visits = Visits(events)
        self._live, self._last = True, -1
        self.updates = 0
        """Frames told of so far."""
        self._failures = self._restarts = 0
        self._seldom = Seldom()
        self._windows: Windows | None = None
        self.config = config
        self.adopt(config, model, detector)

    def adopt(self, config: RunConfig, model: Model, detector: FaceDetector) -> None:
        """Work by another configuration from the next frame on; tracks go on."""
        before, self.config = self.config, config
        self.model, self._detector = model, detector
        told = (config.aggregate_s, config.aggregate_public)
        if self._windows is None or told != (before.aggregate_s, before.aggregate_public):
            self._close_window()
            self._windows = None
            if config.aggregate_s is not None:
                self._visits.forget()
                now = self._clock()
                self._windows = Windows(config.aggregate_s, config.aggregate_public, now)
        self._recognizer = self._made()

    def reload(self, load: Callable[[], Model]) -> Model:
        """Free the engine, which only one may hold, and load another; the old one if that fails.

        Raises what loading raises. No frame is analysed meanwhile.
        """
        old = self.model
        release(old)
        self._pulse.beat("load")
        try:
            return load()
        except Exception:
            self._pulse.beat("load")
            again = load_model(self.config, old.bundle.path)
            self.model = replace(again, fallback=old.fallback)
            self._recognizer = self._made()
            raise

    def begin(self, live: bool) -> None:
        """A camera was opened: its frames count from 0; track numbers go on."""
        self._live, self._last = live, -1
        self._tracker.pause()
        self._recognizer = self._made()

    def skip(self, frame: Frame) -> None:
        """A frame that is not to be analysed, nor counted as dropped."""
        self._last = frame.index
        self._tracker.pause()

    def analyse(self, frame: Frame) -> None:
        """Tell of one frame; one that fails is left out. Raises EngineError when nothing helps."""
        try:
            recognition = self._recognizer.recognize(frame)
        except Exception as error:  # whatever a runtime raises, one frame is not the end
            self._failed(error)
            self._sinks.show(frame.image, None)
            return
        self._failures = self._restarts = 0
        self._tell(recognition, max(frame.index - self._last - 1, 0))
        self._sinks.show(frame.image, recognition.predictions, recognition.others)
        self.updates += 1
        self._last = frame.index

    def turn(self) -> None:
        """What must happen also when no frame comes: faces that have left, windows that end."""
        self._tracker.expire(self._clock())
        self._say_goodbye()
        self._close_window()

    def close(self) -> None:
        """The last words: all faces have left, and the window is over."""
        self._tracker.expire(self._clock(), -np.inf)
        self._say_goodbye()
        self._close_window()

    def _close_window(self) -> None:
        """Tell of the window if it is over; one that was cut short may not be told."""
        if self._windows is not None and self._windows.due(self._clock()):
            self._sinks.write(self._events.aggregate(self._windows.close(self._clock())))

    def _made(self) -> Recognizer:
        config, manifest = self.config, self.model.bundle.manifest
        floor = manifest.abstain_below if config.abstain_below is None else config.abstain_below
        # Files are read at the machine's pace: seconds between their frames mean nothing.
        smoothing_s = config.smoothing_s if self._live else 0.0
        search = Search(
            config.roi, config.smallest_face, config.most_faces, config.detect_every, self._live
        )
        return Recognizer(
            self._detector,
            self.model.engine,
            manifest.input_size,
            floor,
            smoothing_s,
            self._tracker,
            search,
        )

    def _tell(self, recognition: Recognition, missed: int) -> None:
        if self._windows is not None:
            self._windows.take(recognition.predictions, recognition.frame.captured)
            self._metrics.count(self._events.unsaid(recognition, missed))
            return
        self._say_goodbye()
        self._write(self._visits.note(recognition.predictions, recognition.frame))
        self._sinks.write(self._events.update(recognition, missed))

    def _say_goodbye(self) -> None:
        self._write(self._visits.end(self._tracker.ended()))

    def _write(self, events: Iterable[Event]) -> None:
        for event in events:
            self._sinks.write(event)

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        reason = "nan" if isinstance(error, NotFinite) else "exception"
        self._metrics.inference_failed(reason)
        if self._failures >= MOST_FAILURES:
            self._failures = 0
            self._restart(error, reason)
        else:
            self._seldom.notice(f"a frame was left out: {type(error).__name__}: {error}")

    def _restart(self, error: Exception, reason: str) -> None:
        """Open the engine again, at last the fallback; raises EngineError when nothing helps."""
        failed = f"{MOST_FAILURES} frames in a row failed: {error}"
        notice(f"{failed}; loading the model again", "error")
        while True:
            self._restarts += 1
            self._metrics.engine_restarts.add(1, reason)
            self._pulse.beat("load")
            try:
                self._serve(self._next_model(failed))
                return
            except EdgeFerError as last:
                if self._restarts > MOST_RESTARTS:
                    raise EngineError(f"{failed} ({last})") from error

    def _next_model(self, failed: str) -> Model:
        """The same model again, a few times; then the fallback, once."""
        bundle, fallback = self.model.bundle, self.model.fallback
        release(self.model)  # a stick serves one process
        if self._restarts <= MOST_RESTARTS:
            return replace(load_model(self.config, bundle.path), fallback=fallback)
        if fallback or self.config.fallback is None:
            raise EngineError("loading it again did not help")
        model = open_fallback(self.config)
        notice(f"{failed}; the fallback {model.bundle.path} serves from now on", "error")
        self._restarts = 0
        return model

    def _serve(self, model: Model) -> None:
        """Go on with another model, and say so where it is the fallback."""
        changed = model.fallback != self.model.fallback
        self.model = model
        self._recognizer = self._made()
        self._events.change(self.config, model.bundle)
        if changed:
            self._sinks.write(self._events.degraded(*(["cpu_fallback"] * model.fallback)))

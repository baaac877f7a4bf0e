"""Frames to events: recognise, tell, and bear with frames that fail."""

from __future__ import annotations

from edge_fer.bundle import Bundle
from edge_fer.config import RunConfig
from edge_fer.errors import EngineError, NotFinite
from edge_fer.events import Events
from edge_fer.metrics import Metrics
from edge_fer.notices import Seldom
from edge_fer.pipeline import Recognizer
from edge_fer.protocols import Engine, FaceDetector
from edge_fer.sinks import Sinks
from edge_fer.tracking import Tracker
from edge_fer.types import Frame

MOST_FAILURES = 10
"""Frames in a row whose analysis fails before the daemon ends with 70."""


class Analysis:
    """One camera's frames, over all its openings."""

    def __init__(
        self,
        config: RunConfig,
        bundle: Bundle,
        engine: Engine,
        detector: FaceDetector,
        sinks: Sinks,
        events: Events,
        metrics: Metrics,
    ) -> None:
        self.updates = 0
        """Events told so far."""
        self._config, self._manifest = config, bundle.manifest
        self._engine, self._detector = engine, detector
        self._sinks, self._events, self._metrics = sinks, events, metrics
        self._tracker, self._seldom = Tracker(), Seldom()
        self._failures, self._last = 0, -1

    def begin(self, live: bool) -> None:
        """A camera was opened: its frames count from 0; track numbers go on."""
        floor = self._config.abstain_below
        self._last = -1
        self._recognizer = Recognizer(
            self._detector,
            self._engine,
            self._manifest.input_size,
            self._manifest.abstain_below if floor is None else floor,
            self._config.most_faces,
            # Files are read at the machine's pace: seconds between their frames mean nothing.
            self._config.smoothing_s if live else 0.0,
            self._tracker,
        )

    def skip(self, frame: Frame) -> None:
        """A frame that is not to be analysed, nor counted as dropped."""
        self._last = frame.index

    def analyse(self, frame: Frame) -> None:
        """Tell one frame's event; raises EngineError after ten failures in a row."""
        try:
            recognition = self._recognizer.recognize(frame)
        except Exception as error:  # whatever a runtime raises, one frame is not the end
            self._failed(error)
            self._sinks.show(frame.image, None)
            return
        self._failures = 0
        self._sinks.write(self._events.update(recognition, max(frame.index - self._last - 1, 0)))
        self._sinks.show(frame.image, recognition.predictions)
        self.updates += 1
        self._last = frame.index

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._metrics.inference_failed("nan" if isinstance(error, NotFinite) else "exception")
        if self._failures >= MOST_FAILURES:
            raise EngineError(f"{MOST_FAILURES} frames in a row failed: {error}") from error
        self._seldom.notice(f"a frame was left out: {type(error).__name__}: {error}")

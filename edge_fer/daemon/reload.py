"""SIGHUP: another configuration while frames go on; all of it, or the old one stays.

What takes time (reading, proving and loading a model) is done by a thread of its own; the change
itself happens between two frames.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from edge_fer.bundle import open_bundle
from edge_fer.config import RunConfig
from edge_fer.daemon.analysis import Analysis
from edge_fer.daemon.events import Events
from edge_fer.daemon.model import Model, load_model, release, signature_check
from edge_fer.daemon.service import Service
from edge_fer.detectors import default_detector, open_detector
from edge_fer.errors import BundleError, ConfigError, EdgeFerError, Refused
from edge_fer.notices import LOG, notice
from edge_fer.protocols import FaceDetector
from edge_fer.sinks import Sinks
from edge_fer.telemetry.metrics import Metrics

FIXED = ("device", "camera_id", "state_dir", "events")
"""Fields that cannot change while it runs: names by which others know it."""


@dataclass(frozen=True, slots=True)
class Change:
    """All that the next configuration needs, opened and proven."""

    config: RunConfig
    model: Model | Callable[[], Model]
    """Loaded, or to be loaded once the old one has freed its device."""
    detector: FaceDetector
    detector_name: str


class Reloader:
    """Asked by a signal, turned by the loop."""

    def __init__(
        self,
        asked: threading.Event,
        reread: Callable[[], RunConfig] | None,
        analysis: Analysis,
        sinks: Sinks,
        events: Events,
        metrics: Metrics,
        service: Service,
        detector: tuple[FaceDetector, str],
    ) -> None:
        self._asked, self._reread = asked, reread
        self._analysis, self._sinks, self._events = analysis, sinks, events
        self._metrics, self._service = metrics, service
        self._detector, self._detector_name = detector
        self._thread: threading.Thread | None = None
        self._result: Change | EdgeFerError | None = None

    def turn(self) -> None:
        """Begin a reload that was asked for, or take up one that is prepared; never waits."""
        if self._thread is not None:
            if not self._thread.is_alive():
                self._thread = None
                self._finish()
        elif self._asked.is_set():
            self._asked.clear()
            self._service.reloading()
            self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._prepare, name="reload", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no more threads may be started
            self._result = ConfigError(str(error))
            self._finish()
        else:
            self._thread = thread

    def _prepare(self) -> None:
        """The thread: everything that can fail or take long."""
        try:
            self._result = self._prepared()
        except EdgeFerError as error:
            self._result = error
        except Exception as error:
            self._result = ConfigError(f"{type(error).__name__}: {error}")

    def _prepared(self) -> Change:
        if self._reread is None:
            raise ConfigError("there is no file to read again: name one with --config")
        config, now = self._reread(), self._analysis.config
        for name in FIXED:
            if getattr(config, name) != getattr(now, name):
                raise ConfigError(f"{name} cannot change while it runs: start it again")
        name = config.detector or default_detector()
        detector = self._detector if name == self._detector_name else open_detector(name)
        return Change(config, self._model(config), detector, name)

    def _model(self, config: RunConfig) -> Model | Callable[[], Model]:
        """The model that serves now, if the new configuration means the same."""
        now, path = self._analysis.model, config.bundle_path()
        before = self._analysis.config
        told = ("threads", "engine_device", "selftest")
        same = all(getattr(config, name) == getattr(before, name) for name in told)
        same = same and not now.fallback
        if same and open_bundle(path, signature_check(config)).sha256 == now.bundle.sha256:
            return now
        if hasattr(now.engine, "close"):
            return lambda: load_model(config, path)
        return load_model(config, path)

    def _finish(self) -> None:
        result, self._result = self._result, None
        try:
            if isinstance(result, Change):
                self._take(result)
            elif result is not None:
                raise result
            self._metrics.reloaded(True)
            notice("the configuration was read again and taken")
        except Exception as error:  # a reload must never end the daemon
            self._metrics.reloaded(False)
            self._drop(result)
            if isinstance(error, (BundleError, Refused)):
                self._metrics.bundle_refused(error)
            notice(f"the old configuration stays: {error}", "error")
        self._service.ready()

    def _drop(self, result: Change | EdgeFerError | None) -> None:
        """Free what was loaded in vain."""
        model = result.model if isinstance(result, Change) else None
        if isinstance(model, Model) and model.engine is not self._analysis.model.engine:
            release(model)

    def _take(self, change: Change) -> None:
        """Between two frames; raises what opening raises, and then nothing has changed."""
        before = self._analysis.config
        self._sinks.change(change.config)
        try:
            model = self._loaded(change.model)
        except Exception:
            self._sinks.change(before)
            self._greet()
            raise
        self._detector, self._detector_name = change.detector, change.detector_name
        self._events.change(change.config, model.bundle)
        self._analysis.adopt(change.config, model, change.detector)
        LOG.form = change.config.log
        self._greet()

    def _loaded(self, model: Model | Callable[[], Model]) -> Model:
        return model if isinstance(model, Model) else self._analysis.reload(model)

    def _greet(self) -> None:
        """Say what runs: a sink that was just opened knows neither that nor the state yet."""
        model = self._analysis.model
        engine, reasons = model.engine, ["cpu_fallback"] * model.fallback
        self._sinks.write(self._events.hello(engine.precision, engine.runtime, self._detector_name))
        self._sinks.write(self._events.degraded(*reasons))

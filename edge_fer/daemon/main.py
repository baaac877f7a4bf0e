"""`edge-fer run`: open everything, analyse frames until told to stop, close everything."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing

import cv2

from edge_fer.cameras import shown
from edge_fer.config import RunConfig
from edge_fer.daemon.again import end_or_fall_back, hung_before
from edge_fer.daemon.analysis import Analysis
from edge_fer.daemon.events import Events
from edge_fer.daemon.model import Model, open_model
from edge_fer.daemon.pulse import Meanwhile, Pulse, Watchdog
from edge_fer.daemon.reload import Reloader
from edge_fer.daemon.rounds import Rounds
from edge_fer.daemon.service import Service
from edge_fer.daemon.signals import Asked, listening
from edge_fer.daemon.strain import Strain
from edge_fer.daemon.wall_clock import WallClock
from edge_fer.daemon.watch import Watch
from edge_fer.detectors import default_detector, open_detector
from edge_fer.notices import LOG, notice
from edge_fer.sinks import Sinks
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.metrics import Metrics
from edge_fer.telemetry.thermal import Thermometer

OPENCV_THREADS = 2
"""OpenCV would start one for each core and wake them all for every small resize, just when the
engine needs the cores."""


def run(
    config: RunConfig, reread: Callable[[], RunConfig] | None = None, asked: Asked | None = None
) -> int:
    """Run the daemon and give its exit status; `reread` gives the configuration for a reload.

    Its caller holds the device's lock (`edge_fer.daemon.lock`). Raises before the first frame
    BundleError, ConfigError, MissingExtra, NotFound or StorageError for what cannot be opened;
    later the error of a file that ends badly, EngineError, or StorageError when the last sink was
    lost.
    """
    cv2.setNumThreads(OPENCV_THREADS)
    LOG.form = config.log
    with ExitStack() as held:
        heard = asked or held.enter_context(listening(reread is not None))
        metrics, service = Metrics(), Service()
        meanwhile = Meanwhile(service, needed=hung_before())
        held.callback(meanwhile.close)
        model = open_model(config, metrics, hung=hung_before())
        chosen = config.detector or default_detector()
        detector = open_detector(chosen)
        with (
            closing(Thermometer()) as thermometer,
            closing(Sinks(config.sinks, Setting(config, metrics, thermometer))) as sinks,
        ):
            events = Events(config, model.bundle)
            notice(_what_runs(config, model, chosen))
            sinks.write(events.hello(model.engine.precision, model.engine.runtime, chosen))
            if model.fallback:
                sinks.write(events.degraded("cpu_fallback"))
            pulse = Pulse(metrics)
            analysis = Analysis(config, model, detector, sinks, events, metrics, pulse)
            reloader = Reloader(
                heard.reload, reread, analysis, sinks, events, metrics, service, (detector, chosen)
            )
            strain = Strain(thermometer, sinks, events)
            rounds = Rounds(pulse, WallClock(metrics), reloader, analysis, events, service, strain)
            watch = Watch(analysis, sinks, events, metrics, rounds, heard.stop)

            def end(status: int) -> None:
                end_or_fall_back(status, pulse.stage, analysis.config, analysis.model, service)

            with closing(Watchdog(pulse, metrics, service, end)) as watchdog:
                service.ready()
                watchdog.start()
                meanwhile.close()
                watch.run()
            service.stopping()
            analysis.close()
            sinks.check_end()
    return 0


def _what_runs(config: RunConfig, model: Model, detector: str) -> str:
    """The one line that says which parts were chosen."""
    why = ""
    if config.detector is None:
        why = " (installed)" if detector == "blazeface" else " (blazeface is not installed)"
    engine, bundle = model.engine, model.bundle
    return (
        f"bundle {bundle.path}, engine {bundle.manifest.format} ({engine.runtime}) "
        f"on {engine.device} "
        f"executing {engine.precision}, detector {detector}{why}, "
        f"camera {shown(config.camera)}"
    )

"""`edge-fer run`: open everything, analyse frames until told to stop, close everything."""

from __future__ import annotations

from contextlib import closing

import cv2
import numpy as np

from edge_fer.bundle import Bundle, open_bundle
from edge_fer.config import RunConfig
from edge_fer.detectors import default_detector, open_detector
from edge_fer.engines import open_engine
from edge_fer.events import Events
from edge_fer.metrics import Metrics
from edge_fer.notices import notice
from edge_fer.protocols import Engine
from edge_fer.selftest import selftest
from edge_fer.signals import stop_signals
from edge_fer.sinks import Sinks
from edge_fer.sinks.setting import Setting
from edge_fer.watch import Watch

OPENCV_THREADS = 2
"""OpenCV would start one for each core and wake them all for every small resize, just when the
engine needs the cores."""


def run(config: RunConfig) -> int:
    """Run the daemon and give its exit status.

    Raises before the first frame BundleError, ConfigError, MissingExtra, NotFound or StorageError
    for what cannot be opened; later the error of a file that ends badly, or EngineError.
    """
    cv2.setNumThreads(OPENCV_THREADS)
    with stop_signals() as stop:
        bundle = open_bundle(config.bundle_path())
        engine = open_engine(bundle, config.threads, config.engine_device)
        _warm(engine, bundle.manifest.input_size)
        if config.selftest:
            notice(selftest(bundle, engine).demand())
        chosen = config.detector or default_detector()
        detector = open_detector(chosen)
        metrics = Metrics()
        with closing(Sinks(config.sinks, Setting(config, metrics))) as sinks:
            events = Events(config, bundle)
            notice(_what_runs(config, bundle, engine, chosen))
            sinks.write(events.hello(engine.precision, engine.runtime, chosen))
            Watch(config, bundle, engine, detector, sinks, events, metrics, stop).run()
    return 0


def _warm(engine: Engine, size: int) -> None:
    """One inference: what cannot run fails now, and the first face does not wait for it."""
    engine.infer(np.zeros((1, size, size, 3), np.uint8))


def _what_runs(config: RunConfig, bundle: Bundle, engine: Engine, detector: str) -> str:
    """The one line that says which parts were chosen."""
    why = ""
    if config.detector is None:
        why = " (installed)" if detector == "blazeface" else " (blazeface is not installed)"
    return (
        f"bundle {bundle.path}, engine {bundle.manifest.format} ({engine.runtime}) "
        f"on {engine.device} "
        f"executing {engine.precision}, detector {detector}{why}, camera {config.camera}"
    )

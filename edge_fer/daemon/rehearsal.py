"""`edge-fer run --check`: everything that a start opens is opened, and closed again."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from edge_fer.cameras import open_camera, shown
from edge_fer.cameras.latest import Latest
from edge_fer.config import RunConfig
from edge_fer.daemon.lock import only_daemon
from edge_fer.daemon.model import open_model
from edge_fer.detectors import open_detector
from edge_fer.errors import CameraError, InUse
from edge_fer.notices import notice
from edge_fer.sinks import Sinks
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.metrics import Metrics

FIRST_S = 15.0
"""For a camera's first frame; a network camera takes its time."""


def rehearse(config: RunConfig) -> int:
    """0 where a start would go on to the first frame; else raises what the start would raise.

    While the daemon itself runs, its ports and files are left alone: the answer is then about the
    file that it is to read next.
    """
    open_model(config)
    open_detector(config.detector)
    try:
        with only_daemon(config), closing(Sinks(config.sinks, Setting(config, Metrics()))):
            pass
    except InUse as error:
        notice(f"{error}; sinks were not opened")
    _look(config.camera)
    notice("the configuration is good")
    return 0


def _look(spec: str) -> None:
    """One frame; that a live camera gives none now is said, for a start would wait for it."""
    opened: Any = open_camera(spec)
    camera = opened if hasattr(opened, "next") else Latest(opened)
    try:
        if camera.next(FIRST_S) is None:
            notice(f"{shown(spec)}: gives no frame yet", "warning")
    except CameraError as error:
        if not camera.live:
            raise
        notice(f"{error}; a start would wait for it", "warning")
    finally:
        camera.close()

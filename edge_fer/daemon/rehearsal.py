"""`edge-fer run --check`: what a start would say, beside a daemon that runs.

Bundle, detector and camera are opened and closed again. Sinks are only checked: their ports, files
and names at a broker may be the running daemon's.
"""

from __future__ import annotations

from typing import Any

from edge_fer.cameras import open_camera, shown
from edge_fer.cameras.latest import Latest
from edge_fer.config import RunConfig
from edge_fer.daemon.model import open_model
from edge_fer.detectors import open_detector
from edge_fer.errors import CameraError
from edge_fer.notices import notice
from edge_fer.sinks import prove_sinks
from edge_fer.sinks.setting import Setting

FIRST_S = 15.0
"""For a camera's first frame; a network camera takes its time."""


def rehearse(config: RunConfig) -> int:
    """0 where a start would go on to the first frame; else raises what the start would raise.

    That a port is taken, a broker refuses us or another daemon has this device id is not told.
    """
    open_model(config)
    open_detector(config.detector)
    prove_sinks(config.sinks, Setting(config))
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

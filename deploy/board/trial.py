"""Whether what was just started works: its own word, systemd's, and that of /healthz."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from deploy.board import service

LOOK_S = 0.25
MOST_RESTARTS = 3
"""A daemon that systemd has started again so often will not come."""
HTTP_S = 3.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Never by a proxy: it is this machine that is asked."""
BLIND = ("lost", "stalled", "frozen", "dark", "obstructed", "disabled")
"""States of a camera in which no frame is analysed."""


def judge(generation: Path, record: dict[str, Any], camera_before: str, patience_s: float) -> str:
    """Empty when it works within so many seconds, else why it does not.

    A camera that gave nothing before is no fault of what runs now.
    """
    end = time.monotonic() + patience_s
    why, ended = "it was not started", 0
    while time.monotonic() < end:
        now = service.look()
        ended = now.exit_status or ended  # forgotten as soon as it is started again
        if now.active == "failed":
            return f"it ended with status {ended}"
        if now.restarts >= MOST_RESTARTS:
            return f"it was started {now.restarts + 1} times, the last status was {ended}"
        why = _short_of(now, generation, record, camera_before)
        if not why:
            return ""
        time.sleep(LOOK_S)
    return f"{why} after {patience_s:.0f} s"


def _short_of(now: service.Running, generation: Path, record: dict[str, Any], before: str) -> str:
    """What it still lacks; empty for nothing."""
    if now.active != "active":
        return f"the service is {now.active}"
    if not now.of(generation):
        return "the old program runs"
    if not now.analysed and (now.camera not in BLIND or before == "ok"):
        return f"no frame was analysed (camera {now.camera or 'unknown'})"
    return health(record["health"], now.camera)


def health(address: str | None, camera: str) -> str:
    """What /healthz says against it; empty for nothing, and where nobody is to be asked."""
    if address is None:
        return ""
    try:
        with DIRECT.open(address, timeout=HTTP_S) as answer:
            told = json.load(answer)
    except (OSError, ValueError) as error:
        return f"{address} does not answer ({error})"
    if told.get("camera_state") != camera:
        return f"{address} says camera {told.get('camera_state')}, the service {camera}"
    if "cpu_fallback" in told.get("degraded", ()):
        return "the fallback serves instead of the bundle"
    return ""

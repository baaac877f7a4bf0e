"""The configuration as anybody with the token may see it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_fer.config import NOTICE, RunConfig
from edge_fer.plugins import split_spec

PLAIN_CAMERAS = {"v4l2", "synthetic", "images", "video", "picamera"}
PLAIN_SINKS = {"jsonl"}
"""Specs that cannot hold a password. Of all others only the scheme is shown: a new one is closed
until it is written here."""
HIDDEN = "***"
PREVIEW_NOTICE = (
    "A program estimates facial expressions here, never feelings. Nothing is stored. "
    "A blurred picture, every face in it in coarse blocks, can be seen on this page."
)
"""What people are told instead of the usual notice, which would not be true."""
SHOWN = {
    *("bundle", "bundles_dir", "detector", "threads", "device", "camera_id", "purpose", "notice"),
    *("events", "smoothing_s", "abstain_below", "most_faces", "http_allow_remote", "preview"),
    *("engine_device", "smallest_face", "roi", "detect_every", "aggregate_s", "aggregate_public"),
    *("fallback", "patience_s", "state_dir", "log", "selftest", "trusted_key"),
}


def redacted(config: RunConfig) -> dict[str, Any]:
    """Every setting by name; what may hold a secret shows that it is there."""
    shown = {name: _plain(name, value) for name, value in asdict(config).items()}
    local = config.camera.isdigit() or config.camera.startswith("/dev/")
    shown["camera"] = config.camera if local else _spec(config.camera, PLAIN_CAMERAS)
    if config.preview == "faces" and config.notice == NOTICE:
        shown["notice"] = PREVIEW_NOTICE
    shown["sinks"] = [_spec(sink, PLAIN_SINKS) for sink in config.sinks]
    return shown


def _plain(name: str, value: object) -> object:
    if name not in SHOWN:
        return None if value is None else HIDDEN
    return str(value) if isinstance(value, Path) else value


def _spec(spec: str, plain: set[str]) -> str:
    scheme, argument = split_spec(spec)
    return spec if scheme in plain or not argument else f"{scheme}:{HIDDEN}"

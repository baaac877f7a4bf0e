"""The cameras of this machine, as `edge-fer cameras` shows them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from edge_fer.cameras.v4l2 import names
from edge_fer.cameras.v4l2.offers import Format, offers
from edge_fer.errors import CameraError

ASK_LIBCAMERA = (
    "import json; from picamera2 import Picamera2; "
    "print(json.dumps([c['Model'] for c in Picamera2.global_camera_info()]))"
)
LIBCAMERA_S = 15.0
"""Longest wait for libcamera, which may also end its process (so it gets one of its own)."""


@dataclass(frozen=True)
class Listed:
    """One camera."""

    camera: str
    """What `--camera` takes."""
    name: str
    """The driver's or the sensor's."""
    stable: str | None = None
    """A spec that stays the same whatever is plugged in before."""
    formats: tuple[Format, ...] = ()
    """Empty for libcamera, which scales to any size."""
    problem: str | None = None
    """Why it cannot be used now."""

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"--camera {self.camera}   {self.name or 'no name'}"
        if self.stable:
            yield f"    always: --camera {self.stable}"
        if self.problem:
            yield f"    {self.problem}"
        for form in self.formats:
            note = "" if form.readable else "  (cannot be decoded here)"
            yield f"    format={form.format}{note}"
            for size in form.sizes:
                rates = ", ".join(f"{rate:g}" for rate in size.fps)
                yield f"        size={size.size}" + (f"  fps {rates}" if rates else "")


def cameras() -> list[Listed]:
    """Every V4L2 device that takes pictures, and what libcamera knows where picamera2 is there."""
    return [*_v4l2(), *_picamera()]


def _v4l2() -> Iterator[Listed]:
    for node in names.nodes():
        ids = names.identities(node)
        stable = ids[0] if ids and os.path.exists(f"/dev/v4l/by-id/{ids[0]}") else None
        spec = f"v4l2:{stable}" if stable else None
        try:
            formats = offers(node)
        except CameraError as error:
            if "no pictures" not in str(error):  # a metadata node is nothing to list
                yield Listed(node, names.label(node), spec, problem=str(error))
            continue
        yield Listed(node, names.label(node), spec, formats)


def _picamera() -> Iterator[Listed]:
    if find_spec("picamera2") is None:
        return
    command = [sys.executable, "-c", ASK_LIBCAMERA]
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, timeout=LIBCAMERA_S, check=True
        )
        models = json.loads(child.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        yield Listed("picamera:0", "", problem=f"libcamera did not answer in {LIBCAMERA_S:.0f} s")
    except (subprocess.CalledProcessError, ValueError, IndexError):
        yield Listed(
            "picamera:0", "", problem="picamera2 is there, but fails: python3 -c 'import picamera2'"
        )
    else:
        for number, model in enumerate(models):
            yield Listed(f"picamera:{number}", model)

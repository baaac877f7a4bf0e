"""Cameras, processor, memory and temperature, read below a root so that tests can make one."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from edge_fer.doctor.finding import Finding, State, version
from edge_fer.errors import CameraError

HOT_C = 80.0
"""From here a Raspberry Pi slows down."""
LITTLE_MEMORY = 450 * 2**20
"""Bytes; the daemon is meant for boards of 512 MiB."""
SYSTEM_PACKAGES = Path("usr/lib/python3/dist-packages")
"""Where apt puts picamera2 and libcamera."""


def cameras(root: Path) -> Iterator[Finding]:
    """The V4L2 cameras, and whether picamera2 is hidden by a virtual environment."""
    devices = sorted((root / "dev").glob("video[0-9]*"), key=_number)
    for device in devices:
        yield _camera(device, root)
    if not devices:
        text = "none found; connect one, or try without: --camera synthetic:faces=1"
        yield Finding("camera", "warning", text)
    yield from _picamera(root)


def _camera(device: Path, root: Path) -> Finding:
    topic = f"camera {device.name.removeprefix('video')}"
    try:
        from edge_fer.cameras.v4l2 import probe

        probe(str(device))
    except ImportError:  # OpenCV, which has been said
        return Finding(topic, "warning", f"{device} is there; OpenCV is needed to look at it")
    except CameraError as error:
        forbidden = not os.access(device, os.R_OK | os.W_OK)
        remedy = "sudo usermod -aG video $USER  # then log in again" if forbidden else None
        return Finding(topic, "warning", str(error), remedy)
    name = _text(root / "sys/class/video4linux" / device.name / "name")
    return Finding(topic, "ok", f"{device}, {name or 'no name'}")


def _picamera(root: Path) -> Iterator[Finding]:
    """Only where libcamera is of interest: on a Raspberry Pi, or where apt has brought it."""
    apt = (root / SYSTEM_PACKAGES / "picamera2").is_dir()
    raspberry = "Raspberry Pi" in _text(root / "proc/device-tree/model")
    if find_spec("picamera2") and find_spec("libcamera"):
        yield Finding("picamera2", "ok", version("picamera2") or "installed")
    elif apt and sys.prefix != sys.base_prefix:
        text = "installed for the system, but this virtual environment does not see it"
        yield Finding(
            "picamera2", "warning", text, f"python3 -m venv --system-site-packages {sys.prefix}"
        )
    elif raspberry:
        text = "not installed; a CSI camera needs it, a USB camera does not"
        yield Finding("picamera2", "optional", text, "sudo apt install python3-picamera2")


def machine(root: Path) -> Iterator[Finding]:
    """What the daemon has to live on."""
    cores = len(os.sched_getaffinity(0))
    yield Finding(
        "processor", "ok", f"{_processor(root)}, {cores} of {os.cpu_count()} cores usable"
    )
    found = re.search(r"MemAvailable:\s+(\d+) kB", _text(root / "proc/meminfo"))
    if found:
        free = int(found[1]) * 1024
        state: State = "ok" if free >= LITTLE_MEMORY else "warning"
        yield Finding("memory", state, f"{free // 2**20} MiB free")
    governor = _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor:
        slow = governor == "powersave"
        text = f"{governor}: slow, unless the driver is intel_pstate" if slow else governor
        yield Finding("governor", "warning" if slow else "ok", text)
    hottest = _hottest(root)
    if hottest is not None:
        text = f"{hottest:.0f} °C" + (": too hot for full speed; cool it" * (hottest >= HOT_C))
        yield Finding("temperature", "warning" if hottest >= HOT_C else "ok", text)


def _processor(root: Path) -> str:
    """The board's name where there is one, else the CPU's."""
    info = _text(root / "proc/cpuinfo")
    named = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    board = _text(root / "proc/device-tree/model")
    return board or (named[1].strip() if named else platform.machine())


def _hottest(root: Path) -> float | None:
    """Degrees Celsius of the hottest zone."""
    zones = (_text(zone) for zone in root.glob("sys/class/thermal/thermal_zone*/temp"))
    return max((int(zone) / 1000 for zone in zones if re.fullmatch(r"-?\d+", zone)), default=None)


def _number(device: Path) -> int:
    return int(device.name.removeprefix("video"))


def _text(path: Path) -> str:
    """A small file's content; empty where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip("\0\n ")
    except OSError:
        return ""

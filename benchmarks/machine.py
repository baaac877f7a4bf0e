"""Facts of the machine, and how busy and warm it was before and after."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks import throttle

BUSY = 0.5
"""Load average, as a share of the cores, from which a machine is called busy."""
CPU_FOLDER = "sys/devices/system/cpu"


def facts(root: Path = Path("/")) -> dict[str, Any]:
    """What does not change while it is measured; None where the system does not say."""
    return {
        "board": _text(root / "proc/device-tree/model"),
        "cpu": _cpu(root) or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "cores_allowed": len(os.sched_getaffinity(0)),
        "virtual": "hypervisor" in (_text(root / "proc/cpuinfo") or ""),
        "memory_bytes": _memory(root),
        "gpu": _gpu(root),
        "system": _system(root),
        "kernel": platform.release(),
        "governor": _text(root / CPU_FOLDER / "cpu0/cpufreq/scaling_governor"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def condition(root: Path = Path("/")) -> dict[str, Any]:
    """What does change: 1-minute load, hottest sensor in degrees Celsius, mean clock in MHz.

    `throttling` holds the flags and counts of `benchmarks.throttle`, None where nothing tells them.
    """
    return {
        "load": _number(_text(root / "proc/loadavg"), 1.0),
        "temperature_c": _hottest(root),
        "clock_mhz": _clock(root),
        "throttling": _throttling(root),
    }


def is_busy(load: float | None, cores: int) -> bool:
    """Others wanted a good part of the processor."""
    return load is not None and load > BUSY * cores


def _throttling(root: Path) -> dict[str, Any] | None:
    """Ready for JSON, which knows no tuples."""
    told = throttle.read(root)
    if told is None:
        return None
    return {"active": list(told.active), "seen": list(told.seen), "events": told.events}


def _cpu(root: Path) -> str | None:
    info = _text(root / "proc/cpuinfo") or ""
    found = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", info, re.MULTILINE)
    return found[1].strip() if found else None


def _memory(root: Path) -> int | None:
    found = re.search(r"MemTotal:\s+(\d+) kB", _text(root / "proc/meminfo") or "")
    return int(found[1]) * 1024 if found else None


def _gpu(root: Path) -> str | None:
    """The NVIDIA driver's own word; the baseline says what it really ran on."""
    for information in sorted(root.glob("proc/driver/nvidia/gpus/*/information")):
        found = re.search(r"Model:\s+(.+)", _text(information) or "")
        if found:
            return found[1].strip()
    return None


def _system(root: Path) -> str:
    found = re.search(
        r'^PRETTY_NAME="?([^"\n]+)', _text(root / "etc/os-release") or "", re.MULTILINE
    )
    return found[1] if found else platform.system()


def _hottest(root: Path) -> float | None:
    zones = root.glob("sys/class/thermal/thermal_zone*/temp")
    degrees = [_number(_text(zone), 1e-3) for zone in zones]
    return max((d for d in degrees if d is not None), default=None)


def _clock(root: Path) -> float | None:
    files = (root / CPU_FOLDER).glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
    clocks = [c for c in (_number(_text(file), 1e-3) for file in files) if c is not None]
    return sum(clocks) / len(clocks) if clocks else None


def _number(text: str | None, scale: float) -> float | None:
    """The first word of a file as a number."""
    try:
        return float((text or "").split()[0]) * scale
    except (IndexError, ValueError):
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None

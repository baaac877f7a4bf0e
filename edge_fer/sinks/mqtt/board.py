"""What the machine says of itself: its name, and whether its power supply is too weak."""

from __future__ import annotations

import platform
from pathlib import Path

MODEL = Path("/proc/device-tree/model")
"""Names a Raspberry Pi or a Jetson; absent on a PC."""
SENSORS = Path("/sys/class/hwmon")
PI_SUPPLY = "rpi_volt"
"""Driver of a Raspberry Pi's supply; it answers from its memory, so reading it cannot hang."""


def board(model: Path = MODEL) -> str:
    """The board's own name, or the processor's family."""
    return _read(model).strip("\0\n ") or platform.machine()


def under_voltage(sensors: Path = SENSORS) -> bool | None:
    """True while the supply is too weak; None where nothing measures it."""
    for name in sensors.glob("hwmon*/name"):
        if _read(name).strip() == PI_SUPPLY:
            return _read(name.with_name("in0_lcrit_alarm")).strip() == "1"
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""

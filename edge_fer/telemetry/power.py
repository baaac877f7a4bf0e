"""What a Raspberry Pi says of its supply and its heat, from sysfs: no program is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

FIRMWARE = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""A hexadecimal number; the driver asks the firmware for it, which may take its time."""
SENSORS = Path("/sys/class/hwmon")
SUPPLY = "rpi_volt"
"""Driver of the supply's own alarm, which newer kernels have in place of the number above."""
FLAGS = ("under_voltage", "freq_capped", "throttled", "soft_temp_limit")
"""Bits 0 to 3: now. (16 to 19 say the same since the start, and are not read.)"""
WORD = re.compile(rb"(?:0x)?([0-9a-fA-F]{1,8})\s*")
"""32 bits."""


def power_flags(firmware: Path = FIRMWARE, sensors: Path = SENSORS) -> Mapping[str, bool]:
    """Each flag by name; none of which nothing says so, or nothing that can be understood."""
    return {**_alarm(sensors), **_word(firmware)}


def _word(firmware: Path) -> Mapping[str, bool]:
    word = WORD.fullmatch(_read(firmware))
    if word is None:
        return {}
    bits = int(word[1], 16)
    return {name: bool(bits >> place & 1) for place, name in enumerate(FLAGS)}


def _alarm(sensors: Path) -> Mapping[str, bool]:
    for name in sensors.glob("hwmon*/name"):
        if _read(name).strip() == SUPPLY.encode():
            return {FLAGS[0]: _read(name.with_name("in0_lcrit_alarm")).strip() == b"1"}
    return {}


def _read(path: Path) -> bytes:
    """The first bytes of a file; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(32)
    except OSError:
        return b""

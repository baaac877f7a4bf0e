"""What a Raspberry Pi's firmware says of its supply and its heat, from sysfs: no program is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

FIRMWARE = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""A hexadecimal number; the driver asks the firmware for it, which may take its time."""
FLAGS = ("under_voltage", "freq_capped", "throttled", "soft_temp_limit")
"""Bits 0 to 3: now. (16 to 19 say the same since the start, and are not read.)"""
WORD = re.compile(rb"(?:0x)?([0-9a-fA-F]{1,8})\s*")
"""32 bits."""


def power_flags(firmware: Path = FIRMWARE) -> Mapping[str, bool]:
    """Each flag by name; empty where nothing says so, or nothing that can be understood."""
    try:
        with firmware.open("rb") as file:
            word = WORD.fullmatch(file.read(32))
    except OSError:
        return {}
    if word is None:
        return {}
    bits = int(word[1], 16)
    return {name: bool(bits >> place & 1) for place, name in enumerate(FLAGS)}

"""What the machine says of itself: its name."""

from __future__ import annotations

import platform
from pathlib import Path

MODEL = Path("/proc/device-tree/model")
"""Names a Raspberry Pi or a Jetson; absent on a PC."""


def board(model: Path = MODEL) -> str:
    """The board's own name, or the processor's family."""
    try:
        name = model.read_text(errors="replace").strip("\0\n ")
    except OSError:
        name = ""
    return name or platform.machine()

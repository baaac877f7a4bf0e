"""Whether the processor was slowed down: by heat, by its supply, or by a limit of power."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PI = "sys/devices/platform/soc/soc:firmware/get_throttled"
"""The firmware's word, as `vcgencmd get_throttled` prints it."""
PI_FLAGS = ("under-voltage", "clock capped", "throttled", "soft temperature limit")
"""Bits 0 to 3: now; bits 16 to 19: since the start of the machine."""
COUNTS = (
    "sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count",  # x86
    "sys/class/hwmon/hwmon*/oc*_event_cnt",  # Jetson: over-current and under-voltage events
)


@dataclass(frozen=True, slots=True)
class Throttling:
    """What the machine says of itself at one moment."""

    active: tuple[str, ...]
    """What slows it now."""
    seen: tuple[str, ...]
    """What has slowed it since it was started."""
    events: int | None
    """How often it was slowed so far, where it counts."""


def read(root: Path = Path("/")) -> Throttling | None:
    """The flags and counters; None where the machine tells neither."""
    flags = _pi_flags(root)
    files = [file for pattern in COUNTS for file in root.glob(pattern)]
    counts = [count for file in files for count in _count(file)]
    if flags is None and not counts:
        return None
    bits = flags or 0
    return Throttling(_named(bits), _named(bits >> 16), sum(counts) if counts else None)


def slowed(before: Throttling | None, after: Throttling | None) -> str | None:
    """Why the times in between are invalid; None where they are fine or nothing is told."""
    if before is None or after is None:
        return None
    reasons = list(dict.fromkeys((*before.active, *after.active)))
    reasons += [f"{flag} in between" for flag in after.seen if flag not in (*before.seen, *reasons)]
    if before.events is not None and after.events is not None and after.events > before.events:
        reasons.append(f"throttled {after.events - before.events} times")
    return ", ".join(reasons) or None


def _count(file: Path) -> Iterator[int]:
    """The number in a file; a counter that cannot be read says nothing."""
    with suppress(OSError, ValueError):
        yield int(file.read_text())


def _pi_flags(root: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int((root / PI).read_text().strip().removeprefix("0x"), 16)
    return None


def _named(bits: int) -> tuple[str, ...]:
    return tuple(name for i, name in enumerate(PI_FLAGS) if bits >> i & 1)

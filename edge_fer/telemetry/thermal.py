"""Temperature and supply, read by a thread: a driver that hangs must not hang its reader."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from math import isnan, nan
from pathlib import Path
from time import monotonic

from edge_fer.telemetry.power import FIRMWARE, power_flags

ZONES = Path("/sys/class/thermal")
PERIOD_S = 5.0
"""Between two readings."""
STALE_S = 60.0
"""Nothing is known of a zone whose last reading is older (node_exporter#3071: zones hang)."""
PLAUSIBLE_C = (-60.0, 200.0)
"""A Jetson reports -256 for a zone that is switched off."""


class Thermometer:
    """The last temperature of each thermal zone, and the firmware's flags; asking never waits."""

    flags: Mapping[str, bool]
    """What the firmware last said of supply and heat; empty where it says nothing."""

    def __init__(
        self, zones: Path = ZONES, period_s: float = PERIOD_S, firmware: Path = FIRMWARE
    ) -> None:
        self._zones, self._period_s, self._firmware = zones, period_s, firmware
        self.flags = {}
        self._readings: dict[str, tuple[float, float]] = {}
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="thermal", daemon=True).start()

    def celsius(self) -> Mapping[str, float]:
        """Degrees by the name of the zone; NaN for one that has not answered for 60 s."""
        now = monotonic()
        known = dict(self._readings).items()
        return {zone: value if now - then <= STALE_S else nan for zone, (value, then) in known}

    def hottest(self) -> float | None:
        """The highest temperature, in degrees; None where nothing measures it."""
        return max((c for c in self.celsius().values() if not isnan(c)), default=None)

    def age_s(self) -> float | None:
        """Seconds since the oldest of the last readings; None before the first one."""
        taken = [then for _, then in dict(self._readings).values()]
        return monotonic() - min(taken) if taken else None

    def close(self) -> None:
        """Let the thread end; one that hangs in a driver is left behind."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.flags = power_flags(self._firmware)
            with suppress(OSError):  # no descriptor is left: the next time, perhaps
                self._read_all()
            self._stop.wait(self._period_s)

    def _read_all(self) -> None:
        for zone in sorted(self._zones.glob("thermal_zone*")):
            try:
                name = (zone / "type").read_text().strip()[:32]
                value = int((zone / "temp").read_text()) / 1000
            except (OSError, ValueError):
                continue
            if PLAUSIBLE_C[0] < value < PLAUSIBLE_C[1]:
                self._readings[name] = value, monotonic()

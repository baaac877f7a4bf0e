"""Temperature and supply, read by a thread: a driver that hangs must not hang its reader."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from math import isnan, nan
from pathlib import Path
from time import monotonic

from edge_fer.telemetry import power

ZONES = Path("/sys/class/thermal")
PERIOD_S = 5.0
"""Between two readings."""
STALE_S = 60.0
"""Nothing is known of a zone whose last reading is older (node_exporter#3071: zones hang)."""
PLAUSIBLE_C = (-60.0, 200.0)
"""A Jetson reports -256 for a zone that is switched off."""


class Thermometer:
    """The last temperature of each thermal zone, and the firmware's flags; asking never waits."""

    def __init__(
        self,
        zones: Path | None = None,
        period_s: float | None = None,
        firmware: Path | None = None,
        sensors: Path | None = None,
    ) -> None:
        self._zones, self._period_s = zones or ZONES, period_s or PERIOD_S
        self._firmware, self._sensors = firmware or power.FIRMWARE, sensors or power.SENSORS
        self._flags: tuple[Mapping[str, bool], float] = {}, monotonic()
        self._readings: dict[str, tuple[float, float]] = {}
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="thermal", daemon=True).start()

    @property
    def flags(self) -> Mapping[str, bool]:
        """What the board last said of supply and heat; nothing where it has not for 60 s."""
        flags, then = self._flags
        return flags if monotonic() - then <= STALE_S else {}

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
            for read in (self._read_flags, self._read_zones):
                with suppress(OSError):  # no descriptor is left: the next time, perhaps
                    read()
            self._stop.wait(self._period_s)

    def _read_flags(self) -> None:
        self._flags = power.power_flags(self._firmware, self._sensors), monotonic()

    def _read_zones(self) -> None:
        for zone in sorted(self._zones.glob("thermal_zone*")):
            try:
                name = (zone / "type").read_text().strip()[:32]
                value = int((zone / "temp").read_text()) / 1000
            except (OSError, ValueError):
                continue
            if PLAUSIBLE_C[0] < value < PLAUSIBLE_C[1]:
                self._readings[name] = value, monotonic()

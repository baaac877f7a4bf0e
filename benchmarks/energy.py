"""Energy, where the machine tells it: a counter of joules that only grows.

RAPL (Intel and AMD, Linux' powercap), INA sensors (Jetson, hwmon), or Jetson's tegrastats; the
first one that can be read. Without any of them energy is "not measured".
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

PERIOD_S = 0.05
"""Between two readings of a sensor that tells power instead of energy."""
TOTAL = ("VDD_IN", "POM_5V_IN", "SYS5V", "VDD_SYS")
"""Rails that feed a whole Jetson module, by generation; the others are parts of one of them."""
TEGRA = re.compile(rf"\b(?:{'|'.join(TOTAL)})\s+(\d+)(?:mW)?/")


class Meter(Protocol):
    """A counter of joules."""

    name: str

    def joules(self) -> float:
        """Since some moment in the past."""

    def close(self) -> None:
        """Stop reading."""


class Rapl:
    """The energy counters of the processor packages."""

    name = "RAPL package counters"

    def __init__(self, zones: Sequence[Path]) -> None:
        self._zones = zones
        self._spans = [int((zone / "max_energy_range_uj").read_text()) for zone in zones]
        self._last = [self._read(zone) for zone in zones]
        self._sum = 0

    def joules(self) -> float:
        """Since it was opened; a counter that starts anew is recognised."""
        for i, zone in enumerate(self._zones):
            now = self._read(zone)
            grown = now - self._last[i]
            self._sum += grown if grown >= 0 else grown + self._spans[i]
            self._last[i] = now
        return self._sum / 1e6

    def close(self) -> None:
        """Nothing to release."""

    @staticmethod
    def _read(zone: Path) -> int:
        return int((zone / "energy_uj").read_text())


class Sampled:
    """Power from a function, summed up by a thread."""

    def __init__(self, name: str, watts: Callable[[], float], period_s: float = PERIOD_S) -> None:
        self.name, self._watts, self._period_s = name, watts, period_s
        self._sum, self._then = 0.0, time.monotonic()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="energy", daemon=True)
        self._thread.start()

    def joules(self) -> float:
        """Since it was opened."""
        self._add()
        return self._sum

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            self._add()

    def _add(self) -> None:
        with self._lock:
            now = time.monotonic()
            self._sum += self._watts() * (now - self._then)
            self._then = now


class Tegrastats:
    """The module's power as tegrastats prints it."""

    def __init__(self, program: str) -> None:
        self._child = subprocess.Popen(
            [program, "--interval", "100"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            self._last = self._next()
        except ValueError:
            self._end()
            raise
        self._meter = Sampled("tegrastats", lambda: self._last)
        self.name = self._meter.name
        threading.Thread(target=self._follow, name="tegrastats", daemon=True).start()

    def joules(self) -> float:
        """Since it was opened."""
        return self._meter.joules()

    def close(self) -> None:
        """End tegrastats."""
        self._meter.close()
        self._end()

    def _end(self) -> None:
        self._child.kill()
        self._child.wait()
        if self._child.stdout:
            self._child.stdout.close()

    def _next(self) -> float:
        """Watts of the next line; raises ValueError where it names no rail that is known."""
        assert self._child.stdout
        found = TEGRA.search(self._child.stdout.readline())
        if not found:
            raise ValueError("tegrastats tells no power")
        return int(found[1]) / 1000

    def _follow(self) -> None:
        with suppress(ValueError):
            while True:
                self._last = self._next()


def open_meter(root: Path = Path("/"), tegrastats: str | None = None) -> Meter | None:
    """The first sensor that can be read; None where nothing measures energy."""
    program = tegrastats or shutil.which("tegrastats")
    for make in (_rapl, _ina, lambda _: Tegrastats(program) if program else None):
        with suppress(OSError, ValueError):
            meter = make(root)
            if meter is not None:
                return meter
    return None


def _rapl(root: Path) -> Meter | None:
    zones = sorted((root / "sys/class/powercap").glob("intel-rapl:[0-9]*"))
    packages = [z for z in zones if (z / "name").read_text().startswith("package")]
    return Rapl(packages) if packages else None


def _ina(root: Path) -> Meter | None:
    """The rail that feeds the module, or the sum of all that the sensors have."""
    channels: dict[str, Callable[[], float]] = {}
    for chip in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        if (chip / "name").is_file() and (chip / "name").read_text().startswith("ina"):
            channels.update(_channels(chip))
    total = next((channels[rail] for rail in TOTAL if rail in channels), None)
    if total:
        return Sampled("INA sensor of the module's supply", total)
    if not channels:
        return None
    return Sampled(
        f"INA sensors {', '.join(channels)}", lambda: sum(w() for w in channels.values())
    )


def _channels(chip: Path) -> dict[str, Callable[[], float]]:
    """Rail name to its watts: hwmon gives millivolts and milliamperes, or microwatts."""
    found: dict[str, Callable[[], float]] = {}
    for current in sorted(chip.glob("curr[0-9]*_input")):
        number = current.name[4:-6]
        volts, label = chip / f"in{number}_input", chip / f"in{number}_label"
        if volts.is_file():
            name = label.read_text().strip() if label.is_file() else f"{chip.name} {number}"
            found[name] = lambda v=volts, c=current: _number(v) * _number(c) / 1e6  # type: ignore[misc]
    if not found:
        for power in sorted(chip.glob("power[0-9]*_input")):
            found[f"{chip.name} {power.name[5:-6]}"] = lambda p=power: _number(p) / 1e6  # type: ignore[misc]
    return found


def _number(path: Path) -> float:
    return float(path.read_text())

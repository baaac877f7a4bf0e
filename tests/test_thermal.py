import os
import resource
import time
from collections.abc import Callable
from math import isnan
from pathlib import Path

import pytest

from edge_fer.telemetry import thermal
from edge_fer.telemetry.power import FLAGS, power_flags
from edge_fer.telemetry.thermal import Thermometer

HANG_GUARD_S = 60


def zone(folder: Path, number: int, name: str, text: str) -> Path:
    place = folder / f"thermal_zone{number}"
    place.mkdir()
    (place / "type").write_text(f"{name}\n")
    (place / "temp").write_text(text)
    return place


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + HANG_GUARD_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read_once(folder: Path) -> Thermometer:
    """A thermometer that has looked at its zones."""
    thermometer = Thermometer(folder, period_s=0.01)
    deadline = time.monotonic() + HANG_GUARD_S
    while thermometer.age_s() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return thermometer


def test_every_zone_is_read_in_degrees_and_the_hottest_is_named(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "61200\n")
    zone(tmp_path, 1, "gpu-thermal", "58000\n")
    thermometer = read_once(tmp_path)
    thermometer.close()
    assert thermometer.celsius() == {"cpu-thermal": 61.2, "gpu-thermal": 58.0}
    assert thermometer.hottest() == 61.2


@pytest.mark.parametrize("text", ["", "hot", "\0\xff", "-256000", "99999999999"])
def test_a_zone_that_measures_nothing_is_left_out(tmp_path: Path, text: str) -> None:
    zone(tmp_path, 0, "broken", text)
    zone(tmp_path, 1, "cpu", "50000")
    thermometer = read_once(tmp_path)
    thermometer.close()
    assert thermometer.celsius() == {"cpu": 50.0}


def test_a_machine_without_zones_has_no_temperature(tmp_path: Path) -> None:
    thermometer = Thermometer(tmp_path / "none", period_s=0.01)
    thermometer.close()
    assert (thermometer.celsius(), thermometer.hottest(), thermometer.age_s()) == ({}, None, None)


def test_p4_a_zone_that_hangs_stops_nobody_and_its_value_grows_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = zone(tmp_path, 0, "cpu", "50000")
    thermometer = read_once(tmp_path)
    (place / "temp").unlink()
    os.mkfifo(place / "temp")  # nobody writes: reading it never ends
    assert thermometer.celsius() == {"cpu": 50.0}
    monkeypatch.setattr(thermal, "STALE_S", -1.0)
    assert isnan(thermometer.celsius()["cpu"])
    assert thermometer.hottest() is None
    thermometer.close()
    os.close(os.open(place / "temp", os.O_RDWR | os.O_NONBLOCK))  # lets the thread go


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("50005\n", "under_voltage throttled"),
        ("0x8", "soft_temp_limit"),
        ("0", ""),
        ("50000", ""),
    ],
)
def test_p3_the_firmwares_flags_are_those_of_now(tmp_path: Path, text: str, flags: str) -> None:
    (tmp_path / "get_throttled").write_text(text)
    said = power_flags(tmp_path / "get_throttled", tmp_path)
    assert set(said) == set(FLAGS)
    assert {name for name, is_set in said.items() if is_set} == set(flags.split())


@pytest.mark.parametrize("text", ["", "throttled=0x5", "\0\0", "9" * 100, "-1", "é"])
def test_p3_what_cannot_be_understood_is_no_flag(tmp_path: Path, text: str) -> None:
    (tmp_path / "get_throttled").write_text(text)
    assert power_flags(tmp_path / "get_throttled", tmp_path) == {}
    assert power_flags(tmp_path / "absent", tmp_path) == {}


@pytest.mark.parametrize(("alarm", "weak"), [("0\n", False), ("1\n", True)])
def test_p3_a_weak_supply_is_seen_where_its_driver_has_an_alarm(
    tmp_path: Path, alarm: str, weak: bool
) -> None:
    assert power_flags(tmp_path / "absent", tmp_path) == {}
    for i, name in enumerate(["cpu_thermal\n", "rpi_volt\n"]):
        (tmp_path / f"hwmon{i}").mkdir()
        (tmp_path / f"hwmon{i}" / "name").write_text(name)
    (tmp_path / "hwmon1" / "in0_lcrit_alarm").write_text(alarm)
    assert power_flags(tmp_path / "absent", tmp_path) == {"under_voltage": weak}


def test_p4_flags_that_nobody_could_read_for_a_minute_are_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "get_throttled").write_text("1")
    thermometer = Thermometer(tmp_path / "zones", 0.01, tmp_path / "get_throttled", tmp_path)
    try:
        eventually(lambda: thermometer.flags.get("under_voltage"))
    finally:
        thermometer.close()
    monkeypatch.setattr(thermal, "STALE_S", -1.0)
    assert thermometer.flags == {}


def test_p3_the_flags_are_read_beside_the_temperature(tmp_path: Path) -> None:
    (tmp_path / "get_throttled").write_text("1")
    thermometer = Thermometer(tmp_path / "zones", 0.01, tmp_path / "get_throttled")
    try:
        eventually(lambda: thermometer.flags.get("under_voltage"))
    finally:
        thermometer.close()


def test_r2_without_a_free_descriptor_the_reading_is_put_off(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    thermometer = Thermometer(tmp_path, period_s=0.01)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        time.sleep(0.2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    zone(tmp_path, 0, "cpu-thermal", "61200\n")
    deadline = time.monotonic() + HANG_GUARD_S
    while thermometer.hottest() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    thermometer.close()
    assert thermometer.hottest() == 61.2

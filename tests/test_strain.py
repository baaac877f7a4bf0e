"""Why the daemon works less well than it should: told when it begins, and when it is over."""

import socket
from pathlib import Path
from typing import Any

import pytest
from running import cool, fake_config, fake_parts, running

from edge_fer.daemon.strain import LOOK_S, Strain, machine_troubles
from edge_fer.telemetry import power, thermal
from edge_fer.telemetry.power import FLAGS


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A board's own word on its supply and its heat, read ten times as often as usual."""
    fake_parts(monkeypatch)
    path = tmp_path / "get_throttled"
    path.write_text("0")
    monkeypatch.setattr(power, "FIRMWARE", path)
    monkeypatch.setattr(power, "SENSORS", tmp_path / "none")
    monkeypatch.setattr(thermal, "PERIOD_S", 0.05)
    return path


@pytest.mark.parametrize(("word", "reason"), [("1", "power"), ("8", "thermal"), ("4", "thermal")])
def test_p3_a_strained_board_is_degraded_for_as_long_as_it_lasts(
    firmware: Path, tmp_path: Path, word: str, reason: str
) -> None:
    with running(fake_config(tmp_path)) as one:
        one.until(lambda: one.of("update"))
        firmware.write_text(word)
        one.until(lambda: one.of("state")[-1]["degraded"] == [reason])
        firmware.write_text("50000")  # only what was since the start
        one.until(lambda: one.of("state")[-1]["degraded"] == [])
        assert {e["camera_state"] for e in one.of("state")} == {"ok"}


def test_p3_what_is_promised_in_ten_seconds_takes_six_at_most() -> None:
    assert thermal.PERIOD_S + LOOK_S <= 6


@pytest.mark.parametrize(
    ("flags", "reasons"),
    [
        ("", []),
        ("under_voltage", ["power"]),
        ("under_voltage freq_capped throttled", ["power"]),
        ("under_voltage soft_temp_limit", ["power", "thermal"]),
        ("freq_capped", ["thermal"]),
    ],
)
def test_p3_a_board_that_is_slowed_for_its_supply_is_not_called_hot(
    flags: str, reasons: list[str]
) -> None:
    assert list(machine_troubles({name: name in flags.split() for name in FLAGS})) == reasons


class Told:
    """Sinks with a trouble, and the events that say so."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.said: list[list[str]] = []

    def write(self, event: list[str]) -> None:
        self.said.append(event)

    def strained(self, *reasons: str) -> list[str]:
        return list(reasons)


def test_a_change_is_told_once_and_looked_for_once_a_second() -> None:
    told, now = Told(), [100.0]
    one: Any = told
    strain = Strain(cool(), one, one, lambda: now[0])
    for tenths in range(40):
        told.troubles = ["sink"] if 10 <= tenths < 30 else []
        now[0] = 100 + tenths / 10
        strain.turn()
    assert told.said == [["sink"], []]


def test_s1_a_broker_that_is_away_degrades_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    sinks = ("memory:", f"mqtt:host=127.0.0.1,port={port}")
    with running(fake_config(tmp_path, sinks=sinks)) as one:
        one.until(lambda: one.of("state") and one.of("state")[-1]["degraded"] == ["sink"])

"""What systemd hears, from a real socket; and when it hears no more."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from fakes import FakeEngine
from running import fake_config, fake_parts, running

from edge_fer.daemon import again
from edge_fer.daemon.pulse import LIMITS_S, Pulse, Watchdog
from edge_fer.daemon.service import Service
from edge_fer.telemetry.metrics import Metrics


class Supervisor:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(60)
        self.heard: list[str] = []

    def until(self, text: str) -> None:
        while not any(text in one for one in self.heard):
            self.heard.append(self._socket.recv(4096).decode())

    def falls_silent(self, seconds: float) -> bool:
        """True when, after what had been sent, nothing came for so long."""
        self._socket.settimeout(seconds)
        deadline = time.monotonic() + 60
        with suppress(TimeoutError):
            while time.monotonic() < deadline:
                self._socket.recv(4096)
            return False
        return True

    def close(self) -> None:
        self._socket.close()


@contextmanager
def supervised(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """systemd's place taken, with a watchdog of 0.3 s."""
    path = str(folder / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    with closing(Supervisor(path)) as one:
        yield one


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    with supervised(tmp_path, monkeypatch) as one:
        yield one


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_parts(monkeypatch)


def test_ready_waits_for_no_camera_and_the_end_is_said(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    with running(fake_config(tmp_path, camera="fake:absent=1000000")):
        supervisor.until("READY=1")
        supervisor.until("WATCHDOG=1")
        supervisor.until("STATUS=camera lost")
    supervisor.until("STOPPING=1")
    assert supervisor.heard[0] == "READY=1"


def test_what_deploy_waits_for_is_a_frame_that_was_analysed(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    with running(fake_config(tmp_path)):
        supervisor.until("STATUS=camera ok, frames analysed")


def test_a_camera_alone_is_no_pipeline(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: FakeEngine, faces: object) -> None:
        if self.batches:
            raise RuntimeError
        self.batches.append(faces)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeEngine, "infer", fail)
    with running(fake_config(tmp_path)):
        supervisor.until("STATUS=camera ok")
    assert not any("analysed" in one for one in supervisor.heard)


def test_g3_pings_stop_and_the_process_ends_with_70_when_inference_hangs(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, ended = threading.Event(), []

    def hang(self: FakeEngine, faces: object) -> None:
        if self.batches:
            release.wait(60)
            raise RuntimeError
        self.batches.append(faces)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeEngine, "infer", hang)
    monkeypatch.setitem(LIMITS_S, "infer", 1.0)
    monkeypatch.setattr(again.end_or_fall_back, "__defaults__", (ended.append,))
    with running(fake_config(tmp_path)) as one:
        one.until(lambda: ended)
        assert supervisor.falls_silent(2.0)
        release.set()
    assert ended == [70]


def test_pings_come_at_least_twice_in_the_period(supervisor: Supervisor) -> None:
    pulse, service = Pulse(Metrics()), Service()
    watchdog = Watchdog(pulse, Metrics(), service, lambda _: None)
    assert service.watchdog_s == 0.3
    watchdog.start()
    for _ in range(3):
        supervisor.until("WATCHDOG=1")
        supervisor.heard.clear()
    watchdog.close()


def test_a_step_may_last_as_long_as_its_kind_may() -> None:
    now = [100.0]
    pulse = Pulse(Metrics(), lambda: now[0])
    pulse.beat("infer")
    now[0] += 9.9
    assert not pulse.stalled()
    now[0] += 0.2
    assert pulse.stalled() == "infer takes 10 s"
    pulse.beat("camera")
    now[0] += 59
    assert not pulse.stalled()


def test_b2_a_hanging_inference_is_found_within_12_seconds() -> None:
    from edge_fer.daemon.pulse import LOOK_S

    assert 10 <= LIMITS_S["infer"] <= LIMITS_S["infer"] + 2 * LOOK_S <= 12


def test_t2_a_process_that_did_not_run_is_excused_once() -> None:
    now = [100.0]
    pulse = Pulse(Metrics(), lambda: now[0])
    pulse.beat("infer")
    now[0] += 60
    pulse.excuse()
    assert not pulse.stalled()
    now[0] += 11
    assert pulse.stalled()


@pytest.mark.parametrize(
    ("environment", "period"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "3000000"}, None),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000"}, 3.0),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "x"}, None),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdogs_period_is_read_as_systemd_means_it(
    environment: dict[str, str], period: float | None
) -> None:
    assert Service(environment).watchdog_s == period


def test_an_abstract_socket_is_reached() -> None:
    name = f"edge-fer-test-{os.getpid()}"
    one = Supervisor("\0" + name)
    Service({"NOTIFY_SOCKET": f"@{name}"}).reloading()
    one.until("RELOADING=1\nMONOTONIC_USEC=")
    one.close()


def test_without_a_supervisor_nothing_is_sent(tmp_path: Path) -> None:
    Service({}).ready()
    Service({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()

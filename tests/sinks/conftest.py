"""Brokers, daemons and servers for the tests of this room."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import MOSQUITTO, Mosquitto
from mqtt_daemons import CHILD, DAEMON, Daemon, Start, in_its_own_process
from served import Served, served, token_file

from edge_fer.sinks.http import access
from edge_fer.sinks.mqtt import failures
from edge_fer.sinks.mqtt import sink as module
from edge_fer.sinks.mqtt.settings import PASSWORD
from edge_fer.sinks.mqtt.sink import Mqtt


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits between attempts, and no password from outside."""
    monkeypatch.setattr(failures, "RETRY_S", (0.1, 0.5))
    monkeypatch.setattr(failures, "RETURN_S", (0.1, 0.5))
    monkeypatch.setattr(module, "POLL_S", 0.05)
    monkeypatch.delenv(PASSWORD, raising=False)


@pytest.fixture
def start(tmp_path: Path, impatient: None) -> Iterator[Start]:
    """Opens a sink and hands it the first events."""
    sinks: list[Mqtt] = []

    def opened(port: int, options: str = "", **more: Any) -> Daemon:
        argument = f"host=127.0.0.1,port={port}"
        sinks.append(Mqtt(f"{argument},{options}" if options else argument, **more))
        return Daemon(sinks[-1], tmp_path)

    yield opened
    for sink in sinks:
        sink.close()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    brokers: list[Mosquitto] = []

    def made(*lines: str) -> Mosquitto:
        brokers.append(Mosquitto(tmp_path, *lines))
        return brokers[-1]

    yield made
    for broker in brokers:
        broker.stop()


@pytest.fixture
def broker(mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    return mosquitto().start()


Starts = Callable[[int], "subprocess.Popen[bytes]"]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Starts]:
    """A daemon in its own process, with a keepalive of one second."""
    children: list[subprocess.Popen[bytes]] = []

    def started(port: int) -> subprocess.Popen[bytes]:
        folder = tmp_path / f"child{len(children)}"
        folder.mkdir()
        children.append(in_its_own_process(CHILD, str(port), str(folder)))
        return children[-1]

    yield started
    for one in children:
        one.kill()
        one.wait()


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Starts]:
    """A whole daemon with fake parts and one real sink, in its own process."""
    children: list[subprocess.Popen[bytes]] = []

    def started(port: int) -> subprocess.Popen[bytes]:
        words = (str(port), str(tmp_path))
        children.append(in_its_own_process(DAEMON, *words, stderr=subprocess.PIPE))
        return children[-1]

    yield started
    for one in children:
        one.kill()
        one.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as one:
        yield one


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """With a token, and without a limit on guessing."""
    monkeypatch.setattr(access.Failures, "too_many", lambda *_: False)
    with served(tmp_path, f"0,token={token_file(tmp_path)}") as one:
        yield one

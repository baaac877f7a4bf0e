"""Brokers to test against: a real mosquitto, one that is scripted, and a client that watches."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

HANG_GUARD_S = 60
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
OPEN = "allow_anonymous true"


def until(condition: Callable[[], Any], what: str = "what was awaited") -> Any:
    """Wait for a true value and give it."""
    deadline = time.monotonic() + HANG_GUARD_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.02)
    return value


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


class Mosquitto:
    """A broker on a loopback port, without any memory; may be stopped and started again."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        # As root it would become a user who cannot read the test's folder.
        settings = (f"listener {self.port} 127.0.0.1", "persistence false", "user root")
        self._config.write_text("\n".join([*settings, *(lines or [OPEN])]) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        assert MOSQUITTO is not None
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._listens, "mosquitto")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _listens(self) -> bool:
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", self.port), 1)):
            return True
        return False


def guarded(folder: Path, user: str, secret: str) -> Mosquitto:
    """A started broker that lets in who knows the password; its files lie in `folder`."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    users = folder / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(users), user, secret], check=True)
    return Mosquitto(folder, "allow_anonymous false", f"password_file {users}").start()


class Watcher:
    """A second client: keeps all that it hears as (topic, payload, retained)."""

    def __init__(self, port: int, *topics: str, name: str = "", password: str = "") -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if name:
            self._client.username_pw_set(name, password)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topic, 1) for topic in topics or ("#",)]
        )
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda client, _, message: self.heard.append(
            (message.topic, bytes(message.payload), message.retain)
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(HANG_GUARD_S)

    def payloads(self, topic: str) -> list[bytes]:
        return [payload for place, payload, _ in self.heard if place == topic]

    def wait(self, topic: str, payload: bytes | None = None) -> bytes:
        """The first payload of a topic, or until a given one came."""

        def found() -> list[bytes]:
            return [p for p in self.payloads(topic) if payload in (None, p)]

        first: bytes = until(found, f"{topic} {payload!r}")[0]
        return first

    def say(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain).wait_for_publish(HANG_GUARD_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def watching(port: int, *topics: str, **identity: str) -> Iterator[Watcher]:
    with closing(Watcher(port, *topics, **identity)) as watcher:
        yield watcher


class ScriptedBroker:
    """Listens, answers each CONNECT as its script says, and remembers the protocol levels.

    The script gets the open socket and the level (5, or 4 for MQTT 3.1.1); when it returns, the
    connection is closed.
    """

    def __init__(self, script: Callable[[socket.socket, int], None], buffer: int = 0) -> None:
        self.levels: list[int] = []
        self._script, self._open = script, list[socket.socket]()
        self._server = socket.create_server(("127.0.0.1", 0))
        if buffer:
            self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._thread.join(HANG_GUARD_S)
        self._server.close()

    def _run(self) -> None:
        while True:
            try:
                one, _ = self._server.accept()
            except OSError:
                return
            self._open.append(one)
            with closing(one), suppress(OSError):
                self._answer(one)
            self._open.remove(one)

    def _answer(self, one: socket.socket) -> None:
        head = one.recv(2)
        body = one.recv(4096)
        # Fixed header of up to two bytes of length, then the protocol's name and its level.
        level = (head + body)[(head + body).index(b"MQTT") + 4]
        self.levels.append(level)
        self._script(one, level)


def accept(one: socket.socket, level: int) -> None:
    """Say that the client is welcome."""
    one.sendall(bytes.fromhex("2003000000" if level == 5 else "20020000"))

"""A real `http` sink on a free port of loopback, events for it, and clients of bare sockets."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fakes import fake_bundle, frame_of, scores_of

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.emotions import Emotion
from edge_fer.pipeline import Recognition
from edge_fer.sinks.http import Http
from edge_fer.sinks.setting import Setting
from edge_fer.types import Box, Face, Prediction

HANG_GUARD_S = 60
TOKEN = "0123456789abcdefghijABCDEFGHIJ_-+="
BEARER = {"Authorization": f"Bearer {TOKEN}"}
DELIBERATE = {"X-Edge-Fer": "1", "Content-Type": "application/json"}
READ = (
    *("/metrics", "/openapi.json", "/api/v1/latest", "/api/v1/config", "/api/v1/history"),
    "/api/v1/events",
)
"""Routes of the scope `read` that a plain GET may ask."""


@dataclass
class Answer:
    """Status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """The sink, its setting, and what a client does with it."""

    def __init__(self, sink: Http, setting: Setting, events: Events) -> None:
        self.sink, self.setting, self.events, self.port = sink, setting, events, sink.port
        self._frames = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        """One request by the standard library's client; `_` in a header's name is a `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_GUARD_S)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A connection from one of loopback's many addresses."""
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=HANG_GUARD_S, source_address=(source, 0)
        )

    def raw(self, *lines: str, host: Sequence[str] | None = None, source: str = "127.0.0.1") -> int:
        """The status that a request made of these lines gets; 0 when it is closed without one."""
        hosts = [f"Host: {name}" for name in ((self.host,) if host is None else host)]
        head = "\r\n".join([lines[0], *hosts, *lines[1:], "", ""])
        with self.connect(source) as client:
            try:
                client.sendall(head.encode("latin-1"))
                return status_of(read_all(client))
            except ConnectionError:
                return 0

    def stream(self, source: str = "127.0.0.1", path: str = "/api/v1/events") -> socket.socket:
        """A client that listens; its answer's head has come."""
        client = self.connect(source)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += client.recv(1)
        assert status_of(got) == 200, got
        return client

    def hello(self) -> None:
        self.tell(self.events.hello("int8", "fake 1.0", "fake"))

    def state(self, state: str) -> None:
        self.tell(self.events.state(state))

    def update(self, *emotions: Emotion | None, dropped: int = 0) -> None:
        """One frame with so many faces, side by side."""
        found = [prediction(i, emotion) for i, emotion in enumerate(emotions)]
        frame = frame_of(np.zeros((480, 640, 3), np.uint8), self._frames)
        self._frames += 1
        self.tell(
            self.events.update(Recognition(frame, tuple(found), len(found), 8.0, 12.0), dropped)
        )

    def tell(self, event: dict[str, Any]) -> None:
        """As the daemon does: counted, then written."""
        self.setting.metrics.event(event)
        self.sink.write(event)

    def metric(self, line: str) -> float:
        """The value of a series, named as in the text; 0 where it is not there."""
        for one in self.setting.metrics.text().splitlines():
            name, _, value = one.rpartition(" ")
            if name == line:
                return float(value)
        return 0.0


@contextmanager
def served(folder: Path, argument: str = "0", **options: Any) -> Iterator[Served]:
    """The sink while the block lasts."""
    usual: dict[str, Any] = {"purpose": "test", "device": "pi-hall", "camera_id": "front"}
    config = RunConfig(**{**usual, **options})
    setting = Setting(config)
    sink = Http(argument, setting)
    setting.metrics.sink_opened("ws", sink)
    try:
        one = Served(sink, setting, Events(config, fake_bundle(folder / "bundle")))
        yield one
    finally:
        sink.close()
        assert not sink._thread.is_alive()


def token_file(folder: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    """A token in a file."""
    path = folder / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


def prediction(place: int, emotion: Emotion | None) -> Prediction:
    """A face; None is one about which the model is uncertain."""
    scores = scores_of(Emotion.NEUTRAL, 0.2) if emotion is None else scores_of(emotion)
    left, top = 20 + 150 * (place % 4), 40 + 140 * (place // 4)
    return Prediction(
        Face(Box(left, top, left + 120, top + 120), 0.9, 1000 + place), scores, emotion, 0.1
    )


def read_all(client: socket.socket) -> bytes:
    """All bytes until the other side closes."""
    got = b""
    while more := client.recv(65536):
        got += more
    return got


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 when there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def eventually(condition: Any) -> None:
    """Wait until it is true; a hang fails."""
    deadline = time.monotonic() + HANG_GUARD_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)

"""What the retained topics say, and when: decisions over events and a clock, without a network."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_fer.sinks.encoding import encode
from edge_fer.sinks.mqtt.discovery import NOBODY, announcement
from edge_fer.sinks.mqtt.settings import Settings
from edge_fer.sinks.mqtt.topics import OFFLINE, ONLINE, Message, Topics

ALIVE_S = 60.0
"""How often `online` and the diagnostics are said again."""
STATE_S, STATE_GAP_S = 30.0, 1.0
"""Longest and shortest time between two states."""
STALE_S = 30.0
"""What was seen longer ago is not said any more, whatever the camera's state."""
RATE_S = 10.0
"""Window of the frame rate."""
BIRTH_S = (1.0, 5.0)
"""Home Assistant is answered after a random time, so that not all devices shout at once."""
HEALTHY = {"starting", "ok", "disabled"}
"""Camera states that are no problem."""

Event = Mapping[str, Any]
Readings = Callable[[], Mapping[str, Any]]
"""`temp_c` and `under_voltage`, None where nothing measures them; must not wait."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person would be told of one frame or one window."""

    emotion: str = NOBODY
    score: float | None = None
    """Percent; None without a face."""
    faces: int = 0


class Repeated:
    """One retained topic: sent when it changes, but not too often, and again after a while."""

    def __init__(
        self, topic: str, qos: int = 1, period_s: float = math.inf, gap_s: float = 0.0
    ) -> None:
        self._topic, self._qos, self._period_s, self._gap_s = topic, qos, period_s, gap_s
        self._last: tuple[bytes, float] | None = None

    def due(self, payload: Callable[[], bytes], now: float) -> Iterator[Message]:
        """The message, if it is time for it; the payload is made only when it may be."""
        before, then = self._last or (b"", -math.inf)
        if now - then < self._gap_s:
            return
        content = payload()
        if content == before and now - then < self._period_s:
            return
        self._last = (content, now)
        yield Message(self._topic, content, qos=self._qos)

    def renew(self) -> None:
        """Send it at the next chance."""
        self._last = None


class Rate:
    """Frames a second over the last ten, from a count that only rises."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._seen: deque[tuple[float, int]] = deque()

    def look(self, now: float) -> None:
        """Note the count, about once a second."""
        if self._seen and now - self._seen[-1][0] < 1:
            return
        self._seen.append((now, self._count()))
        while now - self._seen[0][0] > RATE_S + 1:
            self._seen.popleft()

    def now(self, now: float) -> float | None:
        """None until the window is full."""
        if not self._seen or now - self._seen[0][0] < RATE_S:
            return None
        then, count = self._seen[0]
        return round((self._count() - count) / (now - then), 1)


class Report:
    """Everything that is retained about one device and its camera; not locked, its owner is."""

    enabled: bool
    """False while somebody wants a pause, as its owner knows."""

    def __init__(
        self, settings: Settings, hello: Event, readings: Readings, analysed: Callable[[], int]
    ) -> None:
        """`analysed` counts frames, also those of which nothing is told."""
        self._hello, self._readings, self._rate = hello, readings, Rate(analysed)
        self.topics = Topics(hello["device"], hello["camera"])
        self.enabled = True
        described = announcement(settings, self.topics, hello["version"])
        self._announced = encode(described).rstrip() if settings.discovery else b""
        self._camera_state = "starting"
        self._degraded: list[str] = []
        self._seen, self._fresh_until = Seen(), -math.inf
        self._born = self._asked = math.nan
        self._discovery = Repeated(self.topics.discovery)
        self._alive = Repeated(self.topics.availability, period_s=ALIVE_S)
        self._camera = Repeated(self.topics.camera_availability)
        self._state = Repeated(self.topics.state, 0, STATE_S, STATE_GAP_S)
        self._health = Repeated(self.topics.diagnostics, 0, ALIVE_S, ALIVE_S)

    def take(self, event: Event, now: float) -> None:
        """Learn from one event, at `now` in monotonic seconds."""
        kind = event["type"]
        if kind == "hello":
            self._born = now - event["uptime_s"]
        elif kind == "state":
            if event["degraded"] != self._degraded:
                self._health.renew()  # a weak supply is no news after a minute
            self._camera_state, self._degraded = event["camera_state"], event["degraded"]
        elif kind == "update":
            self._seen, self._fresh_until = _in_frame(event), now + STALE_S
        elif kind == "aggregate":
            self._seen, self._fresh_until = _in_window(event), now + event["window_s"] + STALE_S
        self._forget(now)
        self._rate.look(now)

    def due(self, now: float) -> list[Message]:
        """The retained messages whose time has come."""
        if now >= self._asked:
            self.renew()
        self._forget(now)
        self._rate.look(now)
        camera = ONLINE if self._camera_state == "ok" else OFFLINE
        return [
            *(self._discovery.due(lambda: self._announced, now) if self._announced else ()),
            *self._alive.due(lambda: ONLINE, now),
            *self._camera.due(lambda: camera, now),
            *self._state.due(self._state_now, now),
            *self._health.due(lambda: self._health_now(now), now),
        ]

    def renew(self) -> None:
        """Say everything again at the next chance."""
        self._asked = math.nan
        for one in (self._discovery, self._alive, self._camera, self._state, self._health):
            one.renew()

    def greeted(self, now: float) -> None:
        """Home Assistant has started: say everything again in a moment, once."""
        if math.isnan(self._asked):
            self._asked = now + random.uniform(*BIRTH_S)

    def farewell(self) -> list[Message]:
        """The last messages of an orderly end; the first is also the will."""
        places = (self.topics.availability, self.topics.camera_availability)
        return [Message(topic, OFFLINE, qos=1) for topic in places]

    def _forget(self, now: float) -> None:
        """A camera that gives nothing shows nobody, never the last face again."""
        if self._camera_state != "ok" or now >= self._fresh_until:
            self._seen = Seen()

    def _state_now(self) -> bytes:
        state = {
            "emotion": self._seen.emotion,
            "score": self._seen.score,
            "faces": self._seen.faces,
            "occupied": on(self._seen.faces > 0),
            "camera_state": self._camera_state,
            "problem": on(self._camera_state not in HEALTHY),
            "enabled": on(self.enabled),
        }
        return encode(state).rstrip()

    def _health_now(self, now: float) -> bytes:
        health = {
            "fps": self._rate.now(now),
            **self._readings(),
            "uptime_s": int(now - self._born),
            "version": self._hello["version"],
            "degraded": self._degraded,
            "purpose": self._hello["purpose"],
        }
        return encode(health).rstrip()


def _in_frame(update: Event) -> Seen:
    """The largest face stands for the frame."""
    if not update["faces"]:
        return Seen()
    largest = update["faces"][0]
    return Seen(largest["emotion"], round(100 * largest["score"], 1), update["faces_total"])


def _in_window(aggregate: Event) -> Seen:
    """The commonest expression stands for the window, unless too few faces were in it."""
    shares = aggregate["distribution"]
    if aggregate["suppressed"] or not shares or not (total := sum(shares.values())):
        return Seen()
    emotion = max(shares, key=shares.__getitem__)
    return Seen(emotion, round(100 * shares[emotion] / total, 1), aggregate["n_faces"])


def on(yes: bool) -> str:
    """As Home Assistant writes it."""
    return "ON" if yes else "OFF"

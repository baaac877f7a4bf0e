"""The `mqtt` sink: a queue, and a thread that keeps a connection to the broker whatever happens."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from edge_fer.notices import notice
from edge_fer.sinks.encoding import encode
from edge_fer.sinks.mqtt.connection import V5, V311, Connection, Unauthorized, Wake
from edge_fer.sinks.mqtt.failures import Patience, described
from edge_fer.sinks.mqtt.outbox import EVENTS, Outbox
from edge_fer.sinks.mqtt.report import Report, on
from edge_fer.sinks.mqtt.settings import open_broker, read_settings
from edge_fer.sinks.mqtt.topics import HOME_ASSISTANT, Message
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.thermal import Thermometer

FLUSH_S = 2.0
"""Longest wait of `close`."""
OFFLINE_S = 0.5
"""The end of it, kept for saying `offline`."""
POLL_S = 0.5
"""How often what repeats is looked at."""
EXPIRY_S = 60
"""An event that a reader could not take for so long is worthless."""
STEADY_S = 10.0
"""A connection that held so long was a good one: the waits start anew."""


class Mqtt:
    """`mqtt:host=NAME,...`: see Settings. It dials once the first event has named the device."""

    state: str
    """`starting`, `connected`, `lost` or `auth_failed`."""
    sent: int
    """Events handed to the network."""
    failed: int
    """Events that were lost on their way, with their connection."""
    connections: int
    """Times that the broker took what we had to say."""
    last_success: float
    """Unix time at which the network last took an event; 0 before."""
    capacity = EVENTS

    def __init__(
        self,
        argument: str,
        setting: Setting | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = read_settings(argument)
        self._broker = open_broker(self._settings)
        setting = setting or Setting()
        self._setting = setting
        self._metrics, self._clock = setting.metrics, clock
        self._thermometer = setting.thermometer or Thermometer()
        self._borrowed = setting.thermometer is not None
        self.state, self.sent, self.failed, self.connections = "starting", 0, 0, 0
        self.last_success = 0.0
        self._outbox = Outbox()
        self._retained: dict[str, Message] = {}
        self._report: Report | None = None
        self._lock, self._wake = threading.Lock(), Wake()
        self._begun, self._stop = threading.Event(), threading.Event()
        self._patience, self._version, self._warned = Patience(), V5, False
        self._served = -math.inf
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads may be started
            if not self._borrowed:
                self._thermometer.close()
            self._wake.close()
            raise

    @classmethod
    def proven(cls, argument: str, setting: Setting) -> bytes:
        """Check what can be checked without a broker; gives a digest of the secrets."""
        return open_broker(read_settings(argument)).digest()

    @property
    def backlog(self) -> int:
        """Events that wait for the broker, also while it is away."""
        return len(self._outbox)

    @property
    def dropped(self) -> int:
        """Events that made room for newer ones."""
        return self._outbox.dropped

    @property
    def trouble(self) -> str:
        """`sink` while the broker is away or refuses us; else empty."""
        return "sink" if self.state in ("lost", "auth_failed") else ""

    @property
    def reconnects(self) -> int:
        """Times that the broker was found again."""
        return max(self.connections - 1, 0)

    @property
    def enabled(self) -> bool:
        """False while somebody has switched the analysis off."""
        return self._setting.enabled

    def write(self, event: Mapping[str, Any]) -> None:
        """Queue one event; the oldest makes room for it where need be."""
        payload = encode(event).rstrip()
        with self._lock:
            if self._report is None and event["type"] == "hello":
                self._report = Report(self._settings, event, self._readings, self._metrics.analysed)
                self._begun.set()
            if self._report is not None:
                self._report.take(event, self._clock())
            self._outbox.put(payload)
        if self.state == "connected":
            self._wake.set()

    def close(self) -> None:
        """Send what is queued and `offline`, for 2 s at most."""
        self._stop.set()
        self._begun.set()
        self._wake.set()
        if not self._borrowed:
            self._thermometer.close()
        self._thread.join(FLUSH_S)
        if not self._thread.is_alive():
            self._wake.close()

    def _run(self) -> None:
        """The thread: connection after connection."""
        self._begun.wait()
        while self._report is not None and not self._stop.is_set():
            self._stop.wait(self._attempt(self._report))

    def _attempt(self, report: Report) -> float:
        """One connection, from dialling to its end; gives the seconds until the next one."""
        try:
            self._hold(report)
        except Exception as error:  # whatever a bad packet makes paho raise, the next one is new
            self._failed(error)
            return self._patience.after(error, self._clock() - self._served)
        return 0.0

    def _hold(self, report: Report) -> None:
        """One connection until it is lost, which raises, or the sink is closed."""
        began = self._clock()
        with self._lock:
            self._retained.clear()
            report.renew()
        connection = Connection(self._broker, report.topics, self._version, self._hear)
        try:
            self._serve(connection, report)
        finally:
            connection.close()
            self.failed += connection.events_flying
            self._learn(connection, self._clock() - began)

    def _learn(self, connection: Connection, lasted_s: float) -> None:
        """What one connection says about the next."""
        if connection.accepted:
            self._version = V5
        elif not connection.denied:
            # A broker of 3.1.1 may say that it knows no 5, or just hang up.
            self._version = V311 if self._version == V5 else V5
        if connection.accepted and lasted_s > STEADY_S:
            self._patience = Patience()

    def _serve(self, connection: Connection, report: Report) -> None:
        while not self._stop.is_set():
            connection.turn(self._wake, POLL_S)
            if connection.accepted:
                self._refresh(report)
                self._send(connection, report)
                self._welcomed(connection)
                self.last_success = connection.last_event or self.last_success
        if connection.accepted:
            self._say_goodbye(connection, report)

    def _refresh(self, report: Report) -> None:
        """Put what is retained and due before the events; of each topic only the newest."""
        with self._lock:
            report.enabled = self._setting.enabled
            for message in report.due(self._clock()):
                self._retained[message.topic] = message

    def _send(self, connection: Connection, report: Report) -> None:
        while connection.room and (message := self._next(report)) is not None:
            connection.send(message)

    def _next(self, report: Report) -> Message | None:
        with self._lock:
            if self._retained:
                return self._retained.pop(next(iter(self._retained)))
            if not self._outbox:
                return None
            self.sent += 1
            event = self._outbox.take()
            return Message(report.topics.event, event, retain=False, expiry_s=EXPIRY_S)

    def _welcomed(self, connection: Connection) -> None:
        if self.state == "connected":
            self._served = self._clock()
        elif connection.confirmed:
            self.connections += 1
            self._enter("connected")
        if connection.deaf and not self._warned:
            self._warned = True
            notice(f"{self._broker}: we may not subscribe, so Home Assistant's switch is not heard")

    def _say_goodbye(self, connection: Connection, report: Report) -> None:
        """Events first, then `offline`, for which some time is kept."""
        deadline = self._clock() + FLUSH_S
        self._drain(connection, report, deadline - OFFLINE_S)
        with self._lock:
            self._retained = {message.topic: message for message in report.farewell()}
        self._drain(connection, report, deadline)
        connection.leave()

    def _drain(self, connection: Connection, report: Report, until: float) -> None:
        while self._clock() < until:
            self._send(connection, report)
            if not (connection.flying or self._retained or self._outbox):
                return
            connection.turn(self._wake, OFFLINE_S / 10)

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message for us; a retained one is an old one."""
        with self._lock:
            if retained or self._report is None:
                return
            if (topic, payload) == (HOME_ASSISTANT, b"online"):
                self._report.greeted(self._clock())
            elif topic == self._report.topics.enabled and payload in (b"ON", b"OFF"):
                self._setting.enabled = payload == b"ON"

    def _readings(self) -> Mapping[str, Any]:
        weak = self._thermometer.flags.get("under_voltage")
        return {
            "temp_c": self._thermometer.hottest(),
            "under_voltage": None if weak is None else on(weak),
        }

    def _failed(self, error: Exception) -> None:
        state = "auth_failed" if isinstance(error, Unauthorized) else "lost"
        self._enter(state, f": {described(error)}; trying again")

    def _enter(self, state: str, why: str = "") -> None:
        """Say a change of the state, and no repetition of it."""
        if state != self.state:
            self.state = state
            self._metrics.sink_up.set(state == "connected", "mqtt")
            notice(f"{self._broker}: {state}{why}")

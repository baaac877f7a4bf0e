"""One connection to a broker, from dialling to its end; the next one is a new object.

paho-mqtt speaks the protocol, but its own thread and queue are not used: an exception in a
callback ends that thread in silence (its issue 894), and at QoS 0 its queue has no bound.
"""

from __future__ import annotations

import ctypes
import select
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_fer.sinks.mqtt.settings import Broker
from edge_fer.sinks.mqtt.topics import HOME_ASSISTANT, OFFLINE, Message, Topics

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
KEEPALIVE_S = 20
"""paho notices a silent broker after at most twice this."""
IN_FLIGHT = 10
LARGEST_PACKET = 64 * 1024
"""Bytes that an MQTT 5 broker may send us."""
DENIED = {133, 134, 135, 138, 140}
"""Reason codes: client id, password, authority, ban, method. MQTT 3.1.1's are mapped to them."""
UNSPECIFIED = 128
"""Reason code of paho for a connection that was just closed."""

Hear = Callable[[str, bytes, bool], None]
"""Topic, payload, and whether it was retained."""

_libc = ctypes.PyDLL(None)
"""Its calls keep Python's lock."""


class Unauthorized(ConnectionError):
    """The broker knows us and says no: asking again at once would not help."""


class Wake:
    """Ends another thread's wait for the network."""

    def __init__(self) -> None:
        self._heard, self._said = socket.socketpair()
        self._heard.setblocking(False)
        self._said.setblocking(False)

    def fileno(self) -> int:
        """What to wait for."""
        return self._heard.fileno()

    def set(self) -> None:
        """End the wait, or the next one."""
        # socket.send would hand Python's lock to the thread that it wakes, and the analysis would
        # wait until all is sent. What fails may: closed, or enough unheard ones lie there already.
        flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        _libc.send(self._said.fileno(), b"!", 1, flags)

    def clear(self) -> None:
        """Back to silence."""
        with suppress(BlockingIOError):
            self._heard.recv(4096)

    def close(self) -> None:
        """Release both ends."""
        self._heard.close()
        self._said.close()


class Connection:
    """Dialled when built; raises OSError, and from then on ConnectionError where it has ended."""

    accepted = False
    """The broker has let us in."""
    acknowledged = False
    """It has also taken a message."""
    denied = False
    """It knows us and says no."""
    deaf = False
    """It does not let us subscribe."""
    last_event = 0.0
    """Unix time at which the network last took an event; 0 before."""

    def __init__(
        self, broker: Broker, topics: Topics, version: MQTTProtocolVersion, hear: Hear
    ) -> None:
        self._topics, self._version, self._hear = topics, version, hear
        self._flying: list[tuple[mqtt.MQTTMessageInfo, Message]] = []
        self._why = ""
        self._client = self._built(broker)
        wishes = {"SessionExpiryInterval": 0, "MaximumPacketSize": LARGEST_PACKET}
        properties = self._properties(PacketTypes.CONNECT, wishes)
        self._client.connect(broker.host, broker.port, KEEPALIVE_S, properties=properties)

    @property
    def flying(self) -> int:
        """Messages that the network or the broker has not taken yet."""
        taken = [message for info, message in self._flying if info.is_published()]
        self.acknowledged |= any(message.qos for message in taken)
        if not all(message.retain for message in taken):
            self.last_event = time()
        self._flying = [one for one in self._flying if not one[0].is_published()]
        return len(self._flying)

    @property
    def events_flying(self) -> int:
        """Those of them that are lost if the connection is."""
        return sum(not message.retain for _, message in self._flying)

    @property
    def confirmed(self) -> bool:
        """True once the broker has taken all that it has to answer for."""
        return self.flying == 0 and self.acknowledged

    @property
    def room(self) -> bool:
        """True when one more message may be sent."""
        return self.flying < IN_FLIGHT

    def send(self, message: Message) -> None:
        """Publish; only when there is room."""
        wishes = {} if message.expiry_s is None else {"MessageExpiryInterval": message.expiry_s}
        properties = self._properties(PacketTypes.PUBLISH, wishes)
        info = self._client.publish(
            message.topic, message.payload, message.qos, message.retain, properties
        )
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            raise ConnectionError(mqtt.error_string(info.rc))
        self._flying.append((info, message))

    def turn(self, wake: Wake, seconds: float) -> None:
        """Wait for the network or `wake`, and do what is to be done."""
        sock = self._socket()
        # TLS may hold bytes that select cannot see.
        pending = bool(getattr(sock, "pending", int)())
        writing = [sock] if self._client.want_write() else []
        ready, writable, _ = select.select([sock, wake], writing, [], 0 if pending else seconds)
        if wake in ready:
            wake.clear()
        if sock in ready or pending:
            self._client.loop_read()
        if writable:
            self._client.loop_write()
        self._client.loop_misc()
        self._socket()

    def leave(self) -> None:
        """Say goodbye: the broker keeps the will to itself."""
        self._client.disconnect()

    def close(self) -> None:
        """Release the socket."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _properties(self, packet: int, wishes: Mapping[str, int]) -> Properties | None:
        """What MQTT 5 can ask for; an older one has no such thing."""
        if self._version != V5:
            return None
        properties = Properties(packet)  # type: ignore[no-untyped-call]
        for name, value in wishes.items():
            setattr(properties, name, value)
        return properties

    def _socket(self) -> Any:
        """The open socket; raises the reason why there is none."""
        sock = self._client.socket()
        if self.denied:
            raise Unauthorized(self._why)
        if sock is None:
            raise ConnectionError(self._why or "the connection was closed")
        return sock

    def _built(self, broker: Broker) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            self._topics.client,
            protocol=self._version,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.max_inflight_messages_set(IN_FLIGHT)
        client.will_set(self._topics.availability, OFFLINE, qos=1, retain=True)
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.trust is not None:
            client.tls_set_context(broker.trust)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_publish = self._on_subscribe, self._on_publish
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: mqtt.Client, _: Any, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refused(f"the broker refuses us: {reason}", reason)
            return
        self.accepted = True
        client.subscribe([(self._topics.enabled, 1), (HOME_ASSISTANT, 1)])

    def _on_subscribe(
        self, client: mqtt.Client, _: Any, mid: int, reasons: list[ReasonCode], properties: Any
    ) -> None:
        self.deaf = any(reason.is_failure for reason in reasons)

    def _on_publish(
        self, client: mqtt.Client, _: Any, mid: int, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refused(f"the broker refuses what we publish: {reason}", reason)

    def _on_disconnect(
        self, client: mqtt.Client, _: Any, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure and reason.value != UNSPECIFIED:
            self._refused(f"the connection has ended: {reason}", reason)

    def _on_message(self, client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._hear(topic, bytes(message.payload), message.retain)

    def _refused(self, why: str, reason: ReasonCode) -> None:
        """The first reason is the true one; what follows comes of it."""
        self._why = self._why or why
        self.denied = self.denied or reason.value in DENIED

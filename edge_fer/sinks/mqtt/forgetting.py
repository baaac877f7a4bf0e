"""What a broker keeps of a device is taken from it: an empty retained message for each topic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from paho.mqtt.enums import MQTTProtocolVersion

from edge_fer.config import RunConfig
from edge_fer.errors import EdgeFerError, HostUnreachable, NotPermitted
from edge_fer.sinks.mqtt.connection import V5, V311, Connection, Unauthorized, Wake
from edge_fer.sinks.mqtt.failures import described
from edge_fer.sinks.mqtt.settings import Broker, open_broker, read_settings
from edge_fer.sinks.mqtt.topics import Message, Topics

PATIENCE_S = 10.0
"""For one broker, from the open connection to its last answer."""
POLL_S = 0.5


class Forgetting:
    """One sink's broker and topics; the secrets are read now. Raises ConfigError.

    As the sink it is called by an argument and what else the daemon was told.
    """

    def __init__(self, argument: str, config: RunConfig) -> None:
        self._topics = Topics(config.device, config.camera_id)
        with self._named():
            self._broker = open_broker(read_settings(argument))

    def clear(self) -> str:
        """Clear all of it; what was done, in one line.

        The daemon must have ended: the broker ends its connection, and it would say all again.
        Raises HostUnreachable or NotPermitted, naming the topics.
        """
        with self._named():
            try:
                self._clear_in_any_version()
            except Unauthorized as error:
                raise NotPermitted(f"{self._broker}: {described(error)}") from error
            except OSError as error:
                raise HostUnreachable(f"{self._broker}: {described(error)}") from error
        return f"{self._broker}: keeps nothing of {self._topics.client} any more"

    def _clear_in_any_version(self) -> None:
        try:
            clear(self._broker, self._topics, V5)
        except Unauthorized:
            raise
        except ConnectionError:  # a broker of 3.1.1 may just hang up
            clear(self._broker, self._topics, V311)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """An error says what stays, and how a person clears it."""
        try:
            yield
        except EdgeFerError as error:
            topics = " ".join(self._topics.retained)
            raise type(error)(
                f"{error}; what the broker keeps was not cleared: `mosquitto_pub -r -n -t TOPIC` "
                f"for each of {topics}"
            ) from error


def clear(broker: Broker, topics: Topics, version: MQTTProtocolVersion) -> None:
    """Say it, and wait for the broker's word; raises OSError, and Unauthorized where it denies us.

    Under the daemon's own name: the will of one that was killed is said before, not after.
    """
    wake = Wake()
    connection = Connection(broker, topics, version, lambda topic, payload, retained: None)
    try:
        left = [Message(topic, b"", qos=1) for topic in topics.retained]
        end = monotonic() + PATIENCE_S
        while left or not connection.confirmed:
            if monotonic() >= end:
                raise TimeoutError(f"no answer in {PATIENCE_S:.0f} s")
            connection.turn(wake, POLL_S)
            while connection.accepted and connection.room and left:
                connection.send(left.pop(0))
        connection.leave()
    finally:
        connection.close()
        wake.close()

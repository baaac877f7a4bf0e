"""The door before the server: whole heads only, in time, of the right Host, and not too many.

aiohttp alone lets a client that sends half a header stay for 75 s and never looks at Host.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

from edge_fer.sinks.http.answers import raw_answer
from edge_fer.telemetry.metrics import Metrics

HEAD_S = 5.0
"""For the whole head of a request."""
HEAD_BYTES = 8 << 10
TARGET_BYTES = 2 << 10
BODY_BYTES = 64 << 10
LINGER_S, LINGER_BYTES = 1.0, 1 << 20
"""After a refusal the client may still be sending; so much is read, that it sees the answer."""
CONNECTIONS, PER_ADDRESS = 32, 8
WAITING = 128
"""Connections without a whole head; then the oldest goes. More than the kernel hands over at once,
so that a new one always gets its chance."""
OTHERS = 40
"""Descriptors that are left to camera, broker, files and imports, however few there are."""
HEALTH, UNBOUNDED = b"/healthz", b"/api/v1/ws"
"""Outside the cap; and the one whose client may go on sending."""

Serve = Callable[[], asyncio.Protocol]


class Doorkeeper:
    """Counts who is inside, and who waits to be let in."""

    def __init__(self, hosts: frozenset[bytes], metrics: Metrics) -> None:
        self.hosts, self.metrics = hosts, metrics
        self._waiting: dict[Door, None] = {}
        self._inside: dict[Door, str] = {}
        self._of: Counter[str] = Counter()
        self._share = share()

    def wait(self, door: Door) -> None:
        """A new connection."""
        self._waiting[door] = None
        if len(self._waiting) > min(WAITING, self._share):
            next(iter(self._waiting)).drop("connections")

    def admit(self, door: Door, address: str, counted: bool) -> bool:
        """True when there is room inside, or none is needed."""
        self._waiting.pop(door, None)
        if not counted:
            return True
        if len(self._inside) >= min(CONNECTIONS, self._share) or self._of[address] >= PER_ADDRESS:
            return False
        self._inside[door] = address
        self._of[address] += 1
        return True

    def close(self) -> None:
        """Send away all who wait."""
        for door in list(self._waiting):
            door.drop("connections")

    def leave(self, door: Door) -> None:
        """A connection has gone."""
        self._waiting.pop(door, None)
        address = self._inside.pop(door, None)
        if address is not None:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]


def share() -> int:
    """Descriptors for those inside, for those who wait, and for those that come at once: each."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WAITING if most == resource.RLIM_INFINITY else max((most - OTHERS) // 3, 2)


class Door(asyncio.Protocol):
    """One connection: it carries one request, and is handed on when that may be answered."""

    def __init__(self, keeper: Doorkeeper, serve: Serve) -> None:
        self._keeper, self._serve = keeper, serve
        self._head = bytearray()
        self._inner: asyncio.Protocol | None = None
        self._refused = False
        self._unbounded = False
        self._budget = BODY_BYTES

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._address = str((transport.get_extra_info("peername") or ("?",))[0])
        self._keeper.wait(self)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(HEAD_S, self.drop, "timeout")

    def data_received(self, data: bytes) -> None:
        """Gather the head; afterwards hand on what comes, up to the largest body."""
        if self._refused:
            self._spend(data)
        elif self._inner is not None:
            self._hand_on(data)
        else:
            searched = max(len(self._head) - 3, 0)
            self._head += data
            end = self._head.find(b"\r\n\r\n", searched, HEAD_BYTES)
            if end >= 0:
                self._judge(bytes(self._head[:end]))
            elif len(self._head) >= HEAD_BYTES:
                self._refuse(too_long(self._head), "size")

    def eof_received(self) -> bool | None:
        """The client has said all."""
        return self._inner.eof_received() if self._inner is not None else None

    def connection_lost(self, error: Exception | None) -> None:
        """The connection has gone."""
        self._deadline.cancel()
        self._keeper.leave(self)
        if self._inner is not None:
            self._inner.connection_lost(error)

    def pause_writing(self) -> None:
        """The client does not read."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._inner is not None:
            self._inner.resume_writing()

    def drop(self, reason: str) -> None:
        """End the connection without an answer."""
        self._keeper.metrics.rejected.add(1, reason)
        self._keeper.leave(self)
        self._transport.abort()

    def _judge(self, head: bytes) -> None:
        lines = head.split(b"\r\n")
        target = lines[0].split(b" ")[1] if lines[0].count(b" ") == 2 else b"/"
        path = target.partition(b"?")[0]
        hosts = [value.lower() for value in values(lines, b"host")]
        if len(target) > TARGET_BYTES:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG, "size")
        elif len(hosts) != 1 or hosts[0] not in self._keeper.hosts or not target.startswith(b"/"):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "host")
        elif any(not small(value) for value in values(lines, b"content-length")):
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size")
        elif not self._keeper.admit(self, self._address, counted=path != HEALTH):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "connections")
        else:
            self._let_in(unbounded=path == UNBOUNDED)

    def _let_in(self, unbounded: bool) -> None:
        self._deadline.cancel()
        self._inner = self._serve()
        self._inner.connection_made(self._transport)
        # The head has been bounded already; what came with it is body.
        self._unbounded, self._budget = unbounded, BODY_BYTES + HEAD_BYTES
        head, self._head = bytes(self._head), bytearray()
        self._hand_on(head)

    def _hand_on(self, data: bytes) -> None:
        assert self._inner is not None
        if self._unbounded or self._spend(data):
            self._inner.data_received(data)

    def _spend(self, data: bytes) -> bool:
        """False, and the end, when the client has sent more than it may."""
        self._budget -= len(data)
        if self._budget < 0 and not self._transport.is_closing():
            self.drop("size")
        return self._budget >= 0

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Answer and close, but read on for a moment: else the answer would be lost."""
        self._refused, self._budget = True, LINGER_BYTES
        self._head.clear()
        self._keeper.metrics.rejected.add(1, reason)
        self._keeper.leave(self)
        self._transport.write(raw_answer(status))
        self._transport.write_eof()
        self._deadline.cancel()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(LINGER_S, self._transport.abort)


def values(lines: list[bytes], name: bytes) -> list[bytes]:
    """All values of a header."""
    pairs = (line.partition(b":") for line in lines[1:])
    return [value.strip() for key, _, value in pairs if key.strip().lower() == name]


def small(length: bytes) -> bool:
    """True for a Content-Length that is allowed; what is no number is left to the parser."""
    digits = length.lstrip(b"0") or b"0"
    if not digits.isdigit():
        return True
    return len(digits) <= len(str(BODY_BYTES)) and int(digits) <= BODY_BYTES


def too_long(head: bytearray) -> HTTPStatus:
    """The status for a head that does not end."""
    if head.find(b"\r\n", 0, 2 * TARGET_BYTES) < 0:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE

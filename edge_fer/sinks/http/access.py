"""Who may read: one token, tickets made with it, and a limit on guessing."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from hmac import compare_digest
from http import HTTPStatus
from time import monotonic

FAILURES = 5
"""Wrong credentials of one address in a minute; then even the right one waits."""
ALL_FAILURES = 100
"""The same of all addresses together."""
WINDOW_S = 60.0
MOST_ADDRESSES = 1024
TICKET_S = 30.0
MOST_TICKETS = 64
SCHEME = "Bearer "

Clock = Callable[[], float]


class Access:
    """Judges credentials; without a token everyone may read, and only loopback is listened on."""

    def __init__(self, token_hash: bytes | None, clock: Clock = monotonic) -> None:
        self._hash = token_hash
        self._failures = Failures(clock)
        self.tickets = Tickets(clock)

    def judge(self, address: str, credentials: Sequence[str], ticket: str | None) -> HTTPStatus:
        """OK, UNAUTHORIZED or TOO_MANY_REQUESTS; `credentials` are the Authorization headers."""
        if self._hash is None:
            return HTTPStatus.OK
        if not credentials and ticket is None:
            return HTTPStatus.UNAUTHORIZED  # asks what is needed, guesses nothing
        if self._failures.too_many(address):
            return HTTPStatus.TOO_MANY_REQUESTS
        if self._right(credentials, ticket):
            return HTTPStatus.OK
        self._failures.add(address)
        return HTTPStatus.UNAUTHORIZED

    def _right(self, credentials: Sequence[str], ticket: str | None) -> bool:
        if not credentials:
            return ticket is not None and self.tickets.take(ticket)
        one = credentials[0]
        if len(credentials) > 1 or not one.startswith(SCHEME):
            return False
        return compare_digest(digest(one.removeprefix(SCHEME)), self._hash or b"")


class Tickets:
    """Secrets that a URL may hold: each opens one stream, within 30 s."""

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._ends: OrderedDict[bytes, float] = OrderedDict()

    def issue(self) -> str:
        """A new one; the oldest is lost where there are 64."""
        ticket = secrets.token_urlsafe(32)
        self._ends[digest(ticket)] = self._clock() + TICKET_S
        while len(self._ends) > MOST_TICKETS:
            self._ends.popitem(last=False)
        return ticket

    def take(self, ticket: str) -> bool:
        """True once, for one that is not too old."""
        return self._clock() < self._ends.pop(digest(ticket), float("-inf"))


class Failures:
    """Wrong credentials of the last minute."""

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._all: deque[float] = deque(maxlen=ALL_FAILURES)
        self._of: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, address: str) -> None:
        """Count one."""
        now = self._clock()
        self._all.append(now)
        self._of.setdefault(address, deque(maxlen=FAILURES)).append(now)
        self._of.move_to_end(address)
        while len(self._of) > MOST_ADDRESSES:
            self._of.popitem(last=False)

    def too_many(self, address: str) -> bool:
        """True while an address, or all together, must wait."""
        return self._full(self._of.get(address)) or self._full(self._all)

    def _full(self, times: deque[float] | None) -> bool:
        if times is None or len(times) < (times.maxlen or 0):
            return False
        return self._clock() - times[0] < WINDOW_S


def digest(secret: str) -> bytes:
    """SHA-256, so that comparing takes as long for every guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

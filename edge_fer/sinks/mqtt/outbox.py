"""Events that wait for the broker: bounded in number and bytes, the oldest is dropped."""

from __future__ import annotations

from collections import deque

EVENTS = 256
BYTES = 1 << 20


class Outbox:
    """A queue of payloads; not locked, its owner is."""

    dropped: int
    """Payloads that made room for newer ones."""

    def __init__(self) -> None:
        self.dropped = self._bytes = 0
        self._payloads: deque[bytes] = deque()

    def __len__(self) -> int:
        return len(self._payloads)

    def put(self, payload: bytes) -> None:
        """Append one; drops old ones while there are too many or they are too large."""
        self._payloads.append(payload)
        self._bytes += len(payload)
        while len(self._payloads) > EVENTS or self._bytes > BYTES:
            self.take()
            self.dropped += 1

    def take(self) -> bytes:
        """The oldest; raises IndexError when there is none."""
        payload = self._payloads.popleft()
        self._bytes -= len(payload)
        return payload

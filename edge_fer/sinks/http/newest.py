"""The newest of each kind of event: what a client that has just come must know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

Event = Mapping[str, Any]

FRESH_S = 3.0
"""An older result is not shown: the person may have gone."""


class Newest:
    """Remembers; used in one thread."""

    def __init__(self) -> None:
        self._lines: dict[str, bytes] = {}
        self._events: dict[str, Event] = {}
        self._arrived = 0.0

    def take(self, event: Event, line: bytes) -> None:
        """Remember an event and its encoded form."""
        kind = event["type"]
        self._events[kind], self._lines[kind] = event, line
        if kind == "update":
            self._arrived = monotonic()

    @property
    def camera_state(self) -> str:
        """The state that was last told."""
        return str(self._events.get("state", {}).get("camera_state", "starting"))

    @property
    def degraded(self) -> list[str]:
        """Why the daemon works less well than it should."""
        return list(self._events.get("state", {}).get("degraded", ()))

    @property
    def result(self) -> Event | None:
        """The last update while it says something about now, else None."""
        fresh = monotonic() - self._arrived <= FRESH_S
        return self._events.get("update") if fresh and self.camera_state == "ok" else None

    def introduction(self) -> Iterator[bytes]:
        """What a stream starts with: the first event, and the camera's state."""
        for kind in ("hello", "state"):
            if kind in self._lines:
                yield self._lines[kind]

    def health(self) -> dict[str, Any]:
        """The answer of /healthz."""
        return {
            "status": "degraded" if self.degraded else "ok",
            "camera_state": self.camera_state,
            "degraded": self.degraded,
        }

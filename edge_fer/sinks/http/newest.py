"""The newest of each kind of event: what a client that has just come must know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

Event = Mapping[str, Any]

RESULTS = ("update", "aggregate")
"""The types of event that say what is seen."""

FRESH_S = 3.0
"""An older result is not shown: the person may have gone."""
WINDOW_GRACE_S = 30.0
"""A window is shown until well after the next one was due."""


class Newest:
    """Remembers; used in one thread."""

    def __init__(self) -> None:
        self._result = ""
        self._lines: dict[str, bytes] = {}
        self._events: dict[str, Event] = {}
        self._ends = 0.0

    def take(self, event: Event, line: bytes) -> None:
        """Remember an event and its encoded form."""
        kind = event["type"]
        self._events[kind], self._lines[kind] = event, line
        if kind in RESULTS:
            fresh_s = FRESH_S if kind == "update" else event["window_s"] + WINDOW_GRACE_S
            self._ends = monotonic() + fresh_s
            self._result = kind

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
        """The last update or window while it says something about now, else None."""
        fresh = monotonic() <= self._ends and self.camera_state == "ok"
        return self._events.get(self._result) if fresh else None

    def introduction(self) -> Iterator[bytes]:
        """What a stream starts with: the first event, the camera's state, and the last window."""
        for kind in ("hello", "state"):
            if kind in self._lines:
                yield self._lines[kind]
        if self._result == "aggregate" and self.result is not None:
            yield self._lines[self._result]  # the next one may be a minute away

    def health(self) -> dict[str, Any]:
        """The answer of /healthz."""
        return {
            "status": "degraded" if self.degraded else "ok",
            "camera_state": self.camera_state,
            "degraded": self.degraded,
        }

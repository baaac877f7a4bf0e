"""How long a camera may be silent before something is wrong with it."""

from __future__ import annotations

from edge_fer.types import Frame

STALLED_S = 8.0
"""A live camera's longest silence, with a second to notice it and one to end its process."""
OPENING_S = 15.0
"""Until the first frame: libcamera and a network camera take seconds to start."""
INTERVALS = 2.5
"""A slow camera may be silent for so many of its own intervals."""
SMOOTHING = 0.2


class Pace:
    """Measures one opening of a camera."""

    def __init__(self, now: float, interval_s: float = 0.0) -> None:
        """`interval_s` is what the camera was asked for, 0 where it decides itself."""
        self._interval_s = interval_s
        self._arrived = now
        self._last: Frame | None = None

    @property
    def silent(self) -> bool:
        """True until the first frame."""
        return self._last is None

    def arrived(self, frame: Frame, now: float) -> None:
        """A frame has come."""
        self._arrived = now
        before, self._last = self._last, frame
        if before is not None and frame.index > before.index:
            interval = (frame.captured - before.captured) / (frame.index - before.index)
            self._interval_s += SMOOTHING * (interval - self._interval_s)

    @property
    def limit_s(self) -> float:
        """The longest silence that this camera's pace explains."""
        limit = max(STALLED_S, INTERVALS * self._interval_s)
        return max(OPENING_S, limit) if self.silent else limit

    def overdue(self, now: float) -> bool:
        """True when the camera has been silent for longer."""
        return now - self._arrived > self.limit_s

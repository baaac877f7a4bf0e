"""The last five minutes as means of two seconds each, for a page that has just been opened."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from edge_fer.emotions import LABELS

BIN_S = 2.0
BINS = 150


@dataclass(slots=True)
class Bin:
    """What was seen in two seconds, over all faces and frames."""

    number: int
    """Of the bin, since the clock's start."""
    weight: float = 0.0
    """Faces that the sums are of; 0: there was a result, and nobody in it."""
    sums: list[float] = field(default_factory=lambda: [0.0] * len(LABELS))


class History:
    """Remembers numbers of nobody in particular; used in one thread."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._bins: deque[Bin] = deque(maxlen=BINS)

    def take(self, event: Mapping[str, Any]) -> None:
        """Learn from an update or a window."""
        number = int(self._clock() // BIN_S)
        if event["type"] == "update":
            self._learn(number, event["faces"])
        elif event["type"] == "aggregate" and event["distribution"]:
            self._fill(number, event)

    def told(self) -> dict[str, Any]:
        """The bins, each as its age in bins, and the mean of every expression or null."""
        now = int(self._clock() // BIN_S)
        bins = [
            {"age": now - one.number, "mean": _mean(one)}
            for one in self._bins
            if now - one.number < BINS
        ]
        return {"bin_s": BIN_S, "bins": bins}

    def _learn(self, number: int, faces: list[Mapping[str, Any]]) -> None:
        if not self._bins or self._bins[-1].number != number:
            self._bins.append(Bin(number))
        last = self._bins[-1]
        last.weight += len(faces)
        for face in faces:
            _add(last, face["probs"])

    def _fill(self, number: int, window: Mapping[str, Any]) -> None:
        """A window's shares hold for all of its time."""
        shares = window["distribution"]
        first = max(number - int(window["window_s"] / BIN_S) + 1, self._next())
        for one in range(first, number + 1):
            self._bins.append(Bin(one, sum(shares.get(label, 0) for label in LABELS)))
            _add(self._bins[-1], shares)

    def _next(self) -> int:
        return self._bins[-1].number + 1 if self._bins else 0


def _add(one: Bin, shares: Mapping[str, float]) -> None:
    for i, label in enumerate(LABELS):
        one.sums[i] += shares.get(label, 0.0)


def _mean(one: Bin) -> list[float] | None:
    return [round(total / one.weight, 3) for total in one.sums] if one.weight else None

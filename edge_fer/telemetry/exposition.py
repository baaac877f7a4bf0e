"""Counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4)."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SPECIAL = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
"""What a label's value may not hold as it is."""

Values = tuple[str, ...]
"""The values of a series' labels, in the order of the family's names."""


class Family:
    """All series of one metric; safe to use from any thread."""

    kind = "untyped"

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name, self._meaning, self.label_names = name, meaning, labels
        self._lock = threading.Lock()

    def lines(self) -> Iterator[str]:
        """HELP, TYPE and one line a series; nothing at all before the first value."""
        series = self._series()
        if series:
            yield f"# HELP {self.name} {self._meaning}"
            yield f"# TYPE {self.name} {self.kind}"
        for suffix, labels, value in series:
            yield f"{self.name}{suffix}{_braced(labels)} {_number(value)}"

    def _series(self) -> list[tuple[str, Mapping[str, str], float]]:
        """Suffix of the name, labels and value of each."""
        raise NotImplementedError

    def _named(self, values: Values) -> dict[str, str]:
        return dict(zip(self.label_names, values, strict=True))


class Gauge(Family):
    """Values that rise and fall."""

    kind = "gauge"

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        super().__init__(name, meaning, *labels)
        self._values: dict[Values, float] = {}

    def set(self, value: float, *labels: str) -> None:
        """Set one series."""
        with self._lock:
            self._values[labels] = value

    def add(self, amount: float, *labels: str) -> None:
        """Raise one series, from 0 if it is new; a negative amount lowers it."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + amount

    def clear(self) -> None:
        """Forget all series."""
        with self._lock:
            self._values.clear()

    def value(self, *labels: str) -> float:
        """The value of one series; 0 where it is not known."""
        return self._values.get(labels, 0)

    def labels(self) -> list[str]:
        """The first label's value of every series."""
        with self._lock:
            return [labels[0] for labels in self._values if labels]

    def _series(self) -> list[tuple[str, Mapping[str, str], float]]:
        with self._lock:
            return [("", self._named(labels), value) for labels, value in self._values.items()]


class Counter(Gauge):
    """Values that only rise, or are set to what was counted elsewhere."""

    kind = "counter"


class Histogram(Family):
    """How often values fell under each of the bounds, and their sum."""

    kind = "histogram"

    def __init__(self, name: str, meaning: str, bounds: Sequence[float], *labels: str) -> None:
        super().__init__(name, meaning, *labels)
        self._bounds = (*bounds, math.inf)
        self._counts: dict[Values, list[int]] = {}
        self._sums: dict[Values, float] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""
        place = next(i for i, bound in enumerate(self._bounds) if value <= bound)
        with self._lock:
            counts = self._counts.setdefault(labels, [0] * len(self._bounds))
            counts[place] += 1
            self._sums[labels] = self._sums.get(labels, 0.0) + value

    def count(self) -> int:
        """Values so far, of all series."""
        with self._lock:
            return sum(map(sum, self._counts.values()))

    def _series(self) -> list[tuple[str, Mapping[str, str], float]]:
        with self._lock:
            return [one for labels in self._counts for one in self._one(labels)]

    def _one(self, labels: Values) -> Iterator[tuple[str, Mapping[str, str], float]]:
        named, counts = self._named(labels), list(accumulate(self._counts[labels]))
        for bound, count in zip(self._bounds, counts, strict=True):
            yield "_bucket", {**named, "le": _number(bound)}, count
        yield "_sum", named, self._sums[labels]
        yield "_count", named, counts[-1]


def _braced(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{value.translate(SPECIAL)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if value == int(value) else repr(float(value))

"""A camera whose pictures come at written times, and a clock that jumps there at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeDetector, fake_bundle
from running import loop_parts

from edge_fer.config import RunConfig
from edge_fer.daemon import watch
from edge_fer.daemon.clock import Clock
from edge_fer.daemon.events import Events
from edge_fer.telemetry.metrics import Metrics
from edge_fer.types import Frame, Image

START = 1000.0
NOISE = np.random.default_rng(1).integers(60, 200, (64, 48, 64, 3), np.uint8)
"""64 pictures without any relation, 64x48."""


def noise(number: int) -> Image:
    return np.ascontiguousarray(NOISE[number % 64])


@dataclass(frozen=True)
class Shown:
    """A picture, seconds after its camera was opened."""

    at: float
    image: Image
    age: float = 0.0
    """Seconds between capture and arrival."""
    captured: float | None = None
    """Overrides the stamp; in seconds after opening."""


def steady(
    fps: float, seconds: float, picture: Callable[[int], Image] = noise, begin: float = 0.0
) -> Iterator[Shown]:
    for number in range(int(fps * seconds)):
        yield Shown(begin + (number + 1) / fps, picture(number))


class FakeClock(Clock):
    """Nobody waits: time goes on when somebody would."""

    def __init__(self, end: float) -> None:
        self.t, self._end = START, START + end
        self.stop = threading.Event()

    def now(self) -> float:
        return self.t

    def wait(self, stop: threading.Event, seconds: float) -> None:
        self.t += seconds
        if self.t >= self._end:
            self.stop.set()


class Timeline:
    """A live camera, as the watch sees one; silent after its last picture."""

    live, ended, moves, interval_s = True, False, True, 0.0

    def __init__(self, shown: Iterable[Shown], error: Exception | None = None) -> None:
        self.gone = True
        self.closed = False
        self._left = list(shown)
        self._error = error
        self._index = -1
        self._clock: FakeClock | None = None

    def opened(self, clock: FakeClock) -> Timeline:
        self._clock, self._start = clock, clock.t
        return self

    def left_out(self) -> dict[str, int]:
        return {}

    def next(self, timeout: float) -> Frame | None:
        clock = self._clock
        assert clock is not None
        due = self._start + self._left[0].at if self._left else None
        if due is None and self._error is not None:
            raise self._error
        if due is None or due > clock.t + timeout:
            clock.wait(clock.stop, timeout)
            return None
        clock.wait(clock.stop, max(due - clock.t, 0.0))
        shown = self._left.pop(0)
        self._index += 1
        stamp = due - shown.age if shown.captured is None else self._start + shown.captured
        return Frame(shown.image, self._index, stamp, 0.0)

    def close(self) -> None:
        self.closed = True


@dataclass
class Log:
    """What a watch has told, by seconds since it began."""

    clock: FakeClock
    metrics: Metrics
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    open: bool = True
    enabled: bool = True
    backlog: int = 0
    troubles: tuple[str, ...] = ()

    def write(self, event: dict[str, Any]) -> None:
        self.metrics.event(event)
        self.told.append((self.clock.t - START, event))

    def show(self, *_: object) -> None:
        """No sink shows pictures."""

    @property
    def states(self) -> list[str]:
        return [event["camera_state"] for _, event in self.told if event["type"] == "state"]

    def entered(self, state: str) -> float:
        """When a state was first told."""
        told = (at for at, e in self.told if e["type"] == "state" and e["camera_state"] == state)
        return next(told)

    @property
    def updates(self) -> list[float]:
        return [at for at, event in self.told if event["type"] == "update"]

    def reopened(self, reason: str) -> int:
        return int(self.metrics.reopens.value("camera", reason))

    def dropped(self, reason: str) -> int:
        return int(self.metrics.frames_dropped.value("camera", reason))


Opening = Callable[[], Timeline]


class Follow:
    """Runs a watch over openings of one camera; an exception among them is a failed opening."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path, self._patch = tmp_path, monkeypatch

    def __call__(
        self,
        openings: Sequence[Timeline | Exception],
        seconds: float,
        config: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Log:
        clock, metrics = FakeClock(seconds), Metrics()
        log = Log(clock, metrics, **settings)
        bundle = fake_bundle(self._path / "bundle")
        asked = RunConfig(bundle=bundle.path, **(config or {}))
        left = list(openings)

        def open_one(*_: object) -> Timeline:
            log.opened.append(clock.t - START)
            one = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(one, Exception):
                raise one
            return one.opened(clock)

        self._patch.setattr(watch, "open_camera", open_one)
        events = Events(asked, bundle)
        analysis, rounds = loop_parts(asked, FakeDetector([]), log, events, metrics, clock.now)
        watch.Watch(analysis, log, events, metrics, rounds, clock.stop, clock).run()  # type: ignore[arg-type]
        return log

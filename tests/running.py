"""A daemon of fake parts in a thread of the test, driven as signals would drive it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import ENTRIES, FakeEngine, MemorySink, ScriptedCamera, fake_bundle

from edge_fer.bundle import open_bundle
from edge_fer.config import RunConfig
from edge_fer.daemon import main as daemon
from edge_fer.daemon import model, retries
from edge_fer.daemon.analysis import Analysis
from edge_fer.daemon.events import Events
from edge_fer.daemon.model import Model
from edge_fer.daemon.pulse import Pulse
from edge_fer.daemon.reload import Reloader
from edge_fer.daemon.rounds import Rounds
from edge_fer.daemon.service import Service
from edge_fer.daemon.signals import Asked
from edge_fer.daemon.strain import Strain
from edge_fer.daemon.wall_clock import WallClock
from edge_fer.telemetry.metrics import Metrics
from edge_fer.telemetry.thermal import Thermometer

HANG_GUARD_S = 60


class Running:
    """What it has told so far, and what it is asked."""

    def __init__(self, config: RunConfig, reread: Callable[[], RunConfig] | None = None) -> None:
        MemorySink.events = []
        self.asked, self.status, self.error = Asked(), None, None
        self._thread = threading.Thread(target=self._run, args=(config, reread), daemon=True)
        self._thread.start()

    def _run(self, config: RunConfig, reread: Callable[[], RunConfig] | None) -> None:
        try:
            self.status = daemon.run(config, reread, self.asked)
        except Exception as error:
            self.error = error

    @property
    def events(self) -> list[dict[str, Any]]:
        return MemorySink.events

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in list(self.events) if event["type"] == kind]

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until it is true; a hang, or the daemon's end, fails."""
        deadline = time.monotonic() + HANG_GUARD_S
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            assert self._thread.is_alive(), f"the daemon has ended: {self.error or self.status}"
            time.sleep(0.01)

    def ended(self) -> None:
        """Wait for its own end."""
        self._thread.join(HANG_GUARD_S)
        assert not self._thread.is_alive()

    def stop(self) -> None:
        self.asked.stop.set()
        self.ended()


def loop_parts(
    config: RunConfig, detector: Any, sinks: Any, events: Events, metrics: Metrics,
    now: Callable[[], float] = time.monotonic,
) -> tuple[Analysis, Rounds]:  # fmt: skip
    """What a Watch turns: real parts over a fake engine."""
    bundle = open_bundle(config.bundle_path())
    pulse, service = Pulse(metrics), Service({})
    model = Model(bundle, FakeEngine())
    analysis = Analysis(config, model, detector, sinks, events, metrics, pulse, now)
    reloader = Reloader(
        threading.Event(), None, analysis, sinks, events, metrics, service, (detector, "fake")
    )
    strain = Strain(cool(), sinks, events, now)
    return analysis, Rounds(pulse, WallClock(metrics), reloader, analysis, events, service, strain)


def cool() -> Thermometer:
    """A thermometer of a machine that has none, and never looks again."""
    one = Thermometer(Path("/nowhere"), 3600, Path("/nowhere"), Path("/nowhere"))
    one.close()
    return one


@contextmanager
def running(config: RunConfig, reread: Callable[[], RunConfig] | None = None) -> Iterator[Running]:
    one = Running(config, reread)
    try:
        yield one
    finally:
        one.stop()


def fake_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fakes in the tables, no proof in a child, no waiting for a camera."""
    for table, name, member in ENTRIES:
        monkeypatch.setitem(table, name, member)
    monkeypatch.setattr(ScriptedCamera, "openings", 0)
    monkeypatch.setattr(model, "prove", lambda *_: None)
    monkeypatch.setattr(retries, "RETRY_S", ())
    monkeypatch.setattr(retries, "SLOWEST_RETRY_S", 0.01)


def fake_config(folder: Path, **changes: Any) -> RunConfig:
    """What runs the fakes; its lock lies in the test's own folder."""
    usual: dict[str, Any] = {
        "camera": "fake:then=more",
        "bundle": folder / "bundle",
        "detector": "fake",
        "sinks": ("memory:",),
        "purpose": "test",
        "state_dir": folder,
    }
    if not (folder / "bundle").exists():
        fake_bundle(folder / "bundle")
    return RunConfig(**{**usual, **changes})

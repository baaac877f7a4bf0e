"""Whole daemons of fake parts, each in a process of its own, started by the real command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes import fake_bundle

TESTS = Path(__file__).resolve().parent
COMMAND = """
import os
from edge_fer.cameras import CAMERAS
from edge_fer.engines import ENGINES
from fakes import ENTRIES
from sources import SOURCES
real = ENGINES["tflite"]
for table, name, member in ENTRIES:
    table[name] = member
CAMERAS.update(SOURCES)
engine = os.environ.get("FAULTS_ENGINE")
ENGINES["tflite"] = real if engine == "real" else engine or ENGINES["tflite"]
exec(os.environ.get("FAULTS_FIRST", ""))
from edge_fer.cli import main
main()
"""
GUARD_S = 60


class Daemon:
    """Its events and lines as they come; both pipes are read unless told otherwise.

    `FAULTS_ENGINE` is the entry of another engine, or `real`; `FAULTS_FIRST` is code to run before.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        enter: Callable[[], None] | None = None,
        unread: bool = False,
        before: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        bundle = folder / "bundle"
        if not bundle.exists():
            fake_bundle(bundle)
        usual = ("--bundle", str(bundle), "--detector", "fake", "--state-dir", str(folder))
        path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
        self.events: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*before, sys.executable, "-c", COMMAND, "run", *usual, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **environment},
            preexec_fn=enter,
        )
        self._threads = [] if unread else [self._reader(self._take_events)]
        self._threads.append(self._reader(self._take_lines))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in list(self.events) if event["type"] == kind]

    @property
    def degraded(self) -> list[str]:
        """As last told."""
        return list(self.of("state")[-1]["degraded"]) if self.of("state") else []

    @property
    def port(self) -> int:
        """Of its http sink, once it is open."""
        found = re.search(r"http://[^:]+:(\d+)/", "\n".join(self.lines))
        return int(found[1]) if found else 0

    def until(self, condition: Callable[[], Any], seconds: float = GUARD_S) -> float:
        """Seconds until it is true; a hang, or the daemon's end, is an error."""
        began = time.monotonic()
        while not condition():
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}: {self.said()}")
            if time.monotonic() - began > seconds:
                raise TimeoutError(f"not within {seconds:g} s: {self.said()}")
            time.sleep(0.01)
        return time.monotonic() - began

    def runs(self) -> None:
        """Wait for an analysed frame."""
        self.until(lambda: self.of("update"))

    def said(self) -> str:
        """The newest lines."""
        return " / ".join(self.lines[-3:])

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, seconds: float = GUARD_S) -> int:
        """Wait for its own end; its exit status."""
        status = self.process.wait(seconds)
        for thread in self._threads:
            thread.join(seconds)
        return status

    def close(self) -> None:
        """Kill it and read what is left."""
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(GUARD_S)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _reader(self, take: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        return thread

    def _take_events(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{") and line.endswith("}\n"):
                self.events.append(json.loads(line))

    def _take_lines(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())


@contextmanager
def daemon(folder: Path, *arguments: str, **more: Any) -> Iterator[Daemon]:
    """One that ends with the block; `more` as of Daemon."""
    one = Daemon(folder, *arguments, **more)
    try:
        yield one
    finally:
        one.close()

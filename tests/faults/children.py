"""Sinks in children, and what is asked of them from outside."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import Cost, cost

HERE = Path(__file__).resolve().parent
MB = 1e6


@dataclass
class Child:
    """A running one."""

    process: subprocess.Popen[str]
    port: int

    @property
    def cost(self) -> Cost:
        """Now."""
        return cost(self.process.pid)

    def ask(self, path: str, timeout: float = 30) -> tuple[int, bytes]:
        """Status and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """The value of a series, named as in the text; 0 where it is not there."""
        text = self.ask("/metrics")[1].decode()
        found = re.search(f"^{re.escape(name)} (\\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def rate(self, seconds: float) -> float:
        """Events written in a second, over so many seconds."""
        frames = 'edge_fer_camera_frames_total{camera="front"}'
        first, start = self.metric(frames), time.monotonic()
        time.sleep(seconds)
        return (self.metric(frames) - first) / (time.monotonic() - start)


@contextmanager
def child(
    folder: Path,
    spec: str = "http:0",
    rate: float = 30,
    faces: int = 2,
    count: int | None = None,
    **more: str,
) -> Iterator[Child]:
    """A sink in a process of its own; ends with the block."""
    path = os.pathsep.join([str(HERE.parent), str(HERE.parent.parent)])
    folder.mkdir(parents=True, exist_ok=True)
    command: list[Any] = [sys.executable, HERE / "feeder.py", folder, spec, rate, faces]
    command += [] if count is None else [count]
    process = subprocess.Popen(
        [*map(str, command)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "stderr").open("w"),
        text=True,
        env={**os.environ, "PYTHONPATH": path, **more},
    )
    try:
        assert process.stdout is not None
        word, port = process.stdout.readline().split()
        assert word == "ready"
        yield Child(process, int(port))
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

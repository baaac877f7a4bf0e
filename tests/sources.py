"""Live cameras with a known behaviour, for the capture process; no numpy, as in the real ones."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_fer.cameras.shot import Missed, Shot
from edge_fer.errors import CameraError
from edge_fer.options import read_options

SOURCES = {"scripted": "sources:Scripted", "deaf": "sources:Deaf"}


@dataclass(frozen=True)
class Script:
    frames: int = 5
    fps: float = 200.0
    size: tuple[int, int] = (64, 48)
    bad: int = 0
    """Every so many frames, one that cannot be decoded."""
    pixels: str = "BGR"
    noise: bool = False
    """Pictures of which a camera need not be ashamed: neither dark nor frozen."""
    then: str = "error"
    """After the frames: `error`, `hang`, `crash`, `exit`, `end`, `more` or `grey` (small)."""


class Scripted:
    """`scripted:frames=3,then=hang`: pictures whose first byte is their number."""

    def __init__(self, argument: str) -> None:
        self.script = read_options(Script(), argument, "scripted")
        self.fps = 0.0
        width, height = self.script.size
        self._ground = (os.urandom if self.script.noise else bytes)(width * height * 3)

    def shots(self, memory: dict[str, str]) -> Iterator[Shot | Missed]:
        memory["opened"] = str(int(memory.get("opened", 0)) + 1)
        number = 0
        while number < self.script.frames or self.script.then == "more":
            yield self._shot(number)
            number += 1
            time.sleep(1 / self.script.fps)
        self._end()
        if self.script.then == "grey":
            yield Shot(bytes(32 * 24), "GREY", 32, 24, 32, time.monotonic())
            time.sleep(3600)

    def _shot(self, number: int) -> Shot | Missed:
        if self.script.bad and number % self.script.bad == self.script.bad - 1:
            return Shot(b"\xff\xd8 no picture", "MJPG", *self.script.size, 0, time.monotonic())
        width, height = self.script.size
        data = bytearray(self._ground)
        data[0] = number % 256
        return Shot(data, self.script.pixels, width, height, 3 * width, time.monotonic())

    def _end(self) -> None:
        if self.script.then == "error":
            raise CameraError("scripted: unplugged")
        if self.script.then == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.script.then == "exit":
            os._exit(3)
        while self.script.then == "hang":
            time.sleep(3600)


class Deaf(Scripted):
    """Hangs, and does not end when asked to."""

    def shots(self, memory: dict[str, str]) -> Iterator[Shot | Missed]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        yield from super().shots(memory)

    def _end(self) -> None:
        time.sleep(3600)


class Plug(Scripted):
    """`plug:`: there while a node of any number lies in `$FAULTS_ROOT/dev`."""

    def __init__(self, argument: str) -> None:
        super().__init__("then=more,noise=yes,fps=30")
        self._nodes = Path(os.environ["FAULTS_ROOT"], "dev")

    def shots(self, memory: dict[str, str]) -> Iterator[Shot | Missed]:
        nodes = sorted(self._nodes.glob("video*"))
        if not nodes:
            raise CameraError("plug: no camera is there")
        for shot in super().shots(memory):
            if not nodes[0].exists():
                raise CameraError(f"plug: {nodes[0].name} has been unplugged")
            yield shot

"""Drawn people who change their expression: a camera for demo and test that needs no hardware."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge_fer.drawing import Person, backdrop, draw_into, person
from edge_fer.emotions import Emotion
from edge_fer.options import read_options
from edge_fer.types import Box, Frame, Image

HOLD_S = 2.0
"""How long a person wears an expression, with its rise and its fall."""
RISE = 0.25
"""Part of that time in which the expression comes, and in which it goes."""
MOST_FACES = 8


@dataclass(frozen=True, slots=True)
class Script:
    """What the camera shows: the options of its spec."""

    faces: int = 1
    """People side by side."""
    fps: float = 15.0
    """Frames per second."""
    frames: int = 0
    """Where it ends; 0 is never."""
    seed: int = 0
    """Chooses people, room and order of expressions; the same seed draws the same pictures."""
    size: tuple[int, int] = (640, 480)
    """Width and height in pixels."""
    live: bool = True
    """Keep to the clock; `no` gives the frames as fast as they are drawn."""

    def __post_init__(self) -> None:
        if not 0 <= self.faces <= MOST_FACES:
            raise ValueError(f"faces is 0 to {MOST_FACES}, not {self.faces}")
        if not 0 < self.fps <= 1000:
            raise ValueError(f"fps is above 0, at most 1000, not {self.fps:g}")
        if self.frames < 0 or self.seed < 0:
            raise ValueError("frames and seed are not negative")
        if not all(64 <= side <= 4096 for side in self.size):
            raise ValueError("size is 64x64 to 4096x4096")
        if not self.live and not self.frames:
            raise ValueError("live=no needs an end, such as frames=100")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One face in one frame: the truth behind the picture."""

    box: Box
    who: Person
    emotion: Emotion
    intensity: float
    """0 (at rest) to 1."""
    roll: float
    """Tilt of the head, in degrees clockwise."""


class SyntheticCamera:
    """`synthetic:` with options: `synthetic:faces=2,fps=15,frames=50,seed=1,size=640x480`."""

    def __init__(self, argument: str) -> None:
        self.script = read_options(Script(), argument, "synthetic:")
        self.live = self.script.live
        self._closed = threading.Event()
        rng = np.random.default_rng(self.script.seed)
        numbers = rng.integers(2**31, size=self.script.faces)
        self._people = [person(int(number)) for number in numbers]
        self._orders = [rng.permutation(len(Emotion)) for _ in self._people]
        self._phases = rng.uniform(0, 2 * np.pi, (self.script.faces, 3))
        width, height = self.script.size
        self._room = backdrop(height, width, self.script.seed)

    def __iter__(self) -> Iterator[Frame]:
        start = time.monotonic()
        index = 0
        while not self.script.frames or index < self.script.frames:
            image = self.picture(index)
            wait = start + index / self.script.fps - time.monotonic() if self.live else 0.0
            if self._closed.wait(max(wait, 0.0)):
                return
            yield Frame(image, index, time.monotonic(), time.time())
            index += 1

    def close(self) -> None:
        """End the stream, also in the middle of a wait."""
        self._closed.set()

    def picture(self, index: int) -> Image:
        """The (height, width, 3) BGR picture of a frame."""
        image = self._room.copy()
        for face in self.drawn(index):
            draw_into(image, face.box, face.who, face.emotion, face.intensity, face.roll)
        return image

    def drawn(self, index: int) -> list[Drawn]:
        """The faces of a frame, from left to right."""
        return [self._face(place, index / self.script.fps) for place in range(self.script.faces)]

    def _face(self, place: int, seconds: float) -> Drawn:
        width, height = self.script.size
        share = width / self.script.faces
        x_phase, y_phase, roll_phase = self._phases[place]
        side = min(0.42 * height, 0.62 * share)
        x = share * (place + 0.5) + 0.08 * side * np.sin(0.9 * seconds + x_phase)
        y = 0.50 * height + 0.06 * side * np.sin(1.3 * seconds + y_phase)
        left, top = round(x - side / 2), round(y - side / 2)
        turn, part = divmod(seconds / HOLD_S + x_phase, 1)
        order = self._orders[place]
        return Drawn(
            box=Box(left, top, left + round(side), top + round(side)),
            who=self._people[place],
            emotion=Emotion(int(order[int(turn) % len(order)])),
            intensity=float(np.clip(min(part, 1 - part) / RISE, 0, 1)),
            roll=float(4 * np.sin(0.7 * seconds + roll_phase)),
        )

"""What a source gives in the capture process: bytes as they came, and what they are.

No numpy here: a capture process that need not decode stays at a tenth of the daemon's memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Union

Bytes = Union[bytes, bytearray, memoryview]


@dataclass(frozen=True)
class Shot:
    """One picture, not decoded."""

    data: Bytes
    pixels: str
    """Their arrangement: a key of `edge_fer.cameras.pixels.READERS`."""
    width: int
    height: int
    stride: int
    """Bytes from one row to the next; 0 where rows have no fixed length (MJPG)."""
    captured: float
    """Monotonic seconds at which the picture was taken, the driver's own stamp where it has one."""


@dataclass(frozen=True)
class Missed:
    """A picture that came and cannot be used."""

    reason: str
    """`repeat` or `decode_error`, as in the metric of dropped frames."""


class Source(Protocol):
    """A live camera by its spec; `shots` runs in a process that can be killed."""

    fps: float
    """Frames per second asked for; 0 where the camera decides."""

    def shots(self, memory: dict[str, str]) -> Iterator[Shot | Missed]:
        """Open the camera and give pictures without end; raises CameraError when it cannot.

        `memory` is what earlier openings have learnt; what this one learns is put in before the
        first picture.
        """

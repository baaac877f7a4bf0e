"""The newest picture only, in memory that two processes share.

Three places: one that is being written, the newest, and one that is being read, so neither side
ever waits for the other. Whose a place is, the kernel's record locks say, for they end with their
process: a capture process that is killed in the middle of a picture leaves nothing locked.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edge_fer.cameras.shot import Shot
from edge_fer.errors import CameraError

PLACES = 3
CAPACITY = 32 * 2**20
"""Bytes of a place: a picture of 4096x2160 in BGR. Pages that are never written take no memory."""
HEAD = 4096
COUNTS = ("repeat", "decode_error")
"""Reasons for which pictures were left out before they reached the slot."""
FACTS = struct.Struct("<q d i i i i 8s")
"""Before each picture: number, time, length, width, height, stride, arrangement."""
NEWEST = struct.Struct("<q")
SIZE = HEAD + PLACES * (HEAD + CAPACITY)


@dataclass(frozen=True)
class Taken:
    """A shot in the slot, with its number; its bytes last as long as the `with` block."""

    index: int
    shot: Shot


def create() -> int:
    """A descriptor of fresh shared memory, to be inherited."""
    handle = os.memfd_create("edge-fer-frames")
    os.ftruncate(handle, SIZE)
    return handle


class Slot:
    """One side's view of the memory; each process makes its own."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._memory = mmap.mmap(handle, SIZE)
        self._count = 0

    def put(self, shot: Shot) -> None:
        """Make a shot the newest; the one before it is replaced, taken or not."""
        if len(shot.data) > CAPACITY:
            raise CameraError(f"a picture of {len(shot.data)} bytes is too large; ask for less")
        newest = self._newest()
        for place in range(PLACES):
            if place != newest and self._lock(place):
                self._write(place, shot)
                self._unlock(place)
                NEWEST.pack_into(self._memory, 0, place + 1)
                break
        self._count += 1

    def miss(self, reason: str) -> None:
        """Count a picture that never reached the slot."""
        self._count += 1
        where = NEWEST.size * (1 + COUNTS.index(reason))
        (before,) = NEWEST.unpack_from(self._memory, where)
        NEWEST.pack_into(self._memory, where, before + 1)

    def missed(self) -> dict[str, int]:
        """Pictures left out so far, by reason."""
        return {
            reason: NEWEST.unpack_from(self._memory, NEWEST.size * (1 + at))[0]
            for at, reason in enumerate(COUNTS)
        }

    @contextmanager
    def newest(self) -> Iterator[Taken | None]:
        """The newest shot, safe from its writer inside the block; None before the first one."""
        place = self._newest()
        # The writer may have come round while we looked: then there is a newer one.
        while place >= 0 and not self._lock(place):
            place = self._newest()
        if place < 0:
            yield None
            return
        taken = self._read(place)
        try:
            yield taken
        finally:
            if isinstance(taken.shot.data, memoryview):
                taken.shot.data.release()
            self._unlock(place)

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self._handle)

    def _newest(self) -> int:
        (place,) = NEWEST.unpack_from(self._memory, 0)
        return int(place) - 1

    def _write(self, place: int, shot: Shot) -> None:
        start = HEAD + place * (HEAD + CAPACITY)
        size = len(shot.data)
        shape = (shot.width, shot.height, shot.stride, shot.pixels.encode())
        FACTS.pack_into(self._memory, start, self._count, shot.captured, size, *shape)
        self._memory[start + HEAD : start + HEAD + size] = shot.data

    def _read(self, place: int) -> Taken:
        start = HEAD + place * (HEAD + CAPACITY)
        facts = FACTS.unpack_from(self._memory, start)
        index, captured, size, width, height, stride, pixels = facts
        data = memoryview(self._memory)[start + HEAD : start + HEAD + size]
        name = pixels.rstrip(b"\0").decode()
        return Taken(index, Shot(data, name, width, height, stride, captured))

    def _lock(self, place: int) -> bool:
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            return False
        return True

    def _unlock(self, place: int) -> None:
        fcntl.lockf(self._handle, fcntl.LOCK_UN, 1, place)

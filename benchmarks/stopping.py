"""SIGINT and SIGTERM end a measurement in order: workers and scratch go, finished parts stay."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal asked to stop. No error of a subject: nothing that handles those may swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number
        """As a shell reports a process that a signal ended."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Within it the first of the two signals raises Stopped; later ones are ignored."""

    def stop(number: int, frame: FrameType | None) -> None:
        for other in STOPPING:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)

    earlier = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)

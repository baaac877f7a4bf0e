"""SIGINT and SIGTERM end a one-shot command tidily: scratch folders go, one line is said."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from edge_fer.errors import EdgeFerError

AGAIN_S = 0.01


class Interrupted(EdgeFerError):
    """The user or the system asked to stop; the exit status is the shell's own for that signal."""

    def __init__(self, number: int) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}; nothing half-written was left")
        self.exit_code = 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """The first signal stops the block, later ones are not heard: clearing up is not cut short.

    A native step that runs is finished first. Raises Interrupted.
    """
    heard: list[int] = []
    ignored = sys.unraisablehook

    def stop(number: int, frame: FrameType | None) -> None:
        if not heard:
            heard.append(number)
            raise KeyboardInterrupt  # no library catches this one as an error of its own

    def again(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def lost(what: sys.UnraisableHookArgs) -> None:
        # raised while an object was being finalized, where Python ignores whatever is raised
        if heard and what.exc_type is KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        else:
            ignored(what)

    handlers = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGALRM: again}
    earlier = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    sys.unraisablehook = lost
    try:
        yield
    except BaseException as error:
        if heard:
            raise Interrupted(heard[0]) from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = ignored
        for number, handler in earlier.items():
            signal.signal(number, handler)

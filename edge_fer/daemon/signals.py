"""Signals of the daemon: heard by a thread, so that a hanging driver cannot keep it alive."""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

STOPPING = (signal.SIGINT, signal.SIGTERM)
LIMIT_S = 4.0
"""From the signal to the end of the process, whatever hangs; promised are 5 s."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What signals have asked for."""

    stop: threading.Event = field(default_factory=threading.Event)
    reload: threading.Event = field(default_factory=threading.Event)


@contextmanager
def listening(reloads: bool = True) -> Iterator[Asked]:
    """Give what SIGINT and SIGTERM (stop) and SIGHUP (reload) set; main thread only.

    Where nothing can be read again SIGHUP says what it says to every program, that the terminal was
    closed: it stops, unless it was to be ignored (nohup(1)).

    After the first stop the process ends with 0 within 4 s, at once after a second one: Python
    runs its own handlers in the main thread alone, which may be inside a driver that never returns.
    SIGUSR1 writes all stacks to stderr, SIGPIPE is ignored.
    """
    asked = Asked()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    stopping = STOPPING if reloads else (*STOPPING, signal.SIGHUP)
    heard: tuple[signal.Signals, ...] = (*STOPPING, signal.SIGHUP)
    if not reloads and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        heard = STOPPING
    handlers = {number: signal.signal(number, lambda *_: None) for number in heard}
    handlers[signal.SIGPIPE] = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    earlier = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    _dump_stacks_on_request()
    threading.Thread(
        target=_listen, args=(reading, asked, stopping), name="signals", daemon=True
    ).start()
    try:
        yield asked
    finally:
        if asked.stop.is_set():
            # The thread stays on guard until the process is gone. Python's own end puts back the
            # default of every handler but this one, and a second signal would then end it with 143.
            for number in heard:
                signal.signal(number, signal.SIG_IGN)
        else:
            signal.set_wakeup_fd(earlier)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(writing)


def _dump_stacks_on_request() -> None:
    if sys.__stderr__ is not None:
        faulthandler.register(signal.SIGUSR1, file=sys.__stderr__, all_threads=True)


def _listen(reading: int, asked: Asked, stopping: tuple[int, ...]) -> None:
    """The thread: wait for a first stop, then see to the end."""
    if not _stopping(reading, asked, stopping):
        os.close(reading)
        return
    asked.stop.set()
    deadline = monotonic() + LIMIT_S
    while (left := deadline - monotonic()) > 0:
        if select.select([reading], [], [], left)[0] and os.read(reading, 1)[0] in stopping:
            break
    os._exit(0)


def _stopping(reading: int, asked: Asked, stopping: tuple[int, ...]) -> bool:
    """Read signal numbers until one asks to stop; False when the other end was closed."""
    while number := os.read(reading, 1):
        if number[0] in stopping:
            return True
        if number[0] == signal.SIGHUP:
            asked.reload.set()
    return False

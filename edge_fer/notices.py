"""Lines for a person, on stderr; they never stop what they report on."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from time import monotonic


def notice(text: str) -> None:
    """Say one line; a closed or full stderr is no reason to fail."""
    # AttributeError: without a stderr, sys.stderr is None.
    with suppress(OSError, ValueError, AttributeError):
        try:
            sys.stderr.write(f"edge-fer: {text}\n")
            sys.stderr.flush()
        except BrokenPipeError:
            _discard_stderr()


def _discard_stderr() -> None:
    """Nobody reads it: what is buffered must not fail once more, and with it Python's own end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno())
    os.close(nowhere)


class Seldom:
    """Notices that would repeat with every frame: one in so many seconds."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._next = 0.0

    def notice(self, text: str) -> None:
        """Say the line, unless another was said a moment ago."""
        if monotonic() >= self._next:
            self._next = monotonic() + self._seconds
            notice(text)

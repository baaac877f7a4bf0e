"""Lines for a person or a log, on stderr; they never stop what they report on, nor fill a disk."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from time import monotonic

FORMS = ("text", "json")
LEVELS = {"error": 3, "warning": 4, "info": 6}
"""As syslog(3) numbers them; the journal reads `<N>` at the start of a line."""
BURST, REFILL_S = 30, 2.0
"""So many lines at once, then one more for so many seconds: 30 a minute for ever is no news."""
STDERR = 2


class Log:
    """Where the lines of one process go, and in which form."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.form = "text"
        self._clock = clock
        self._left, self._since = float(BURST), clock()
        self._lost = 0

    def say(self, text: str, level: str = "info") -> None:
        """One line, unless far too many came before it; those are counted and told later."""
        now = self._clock()
        self._left = min(self._left + max(now - self._since, 0.0) / REFILL_S, BURST)
        self._since = now
        if self._left < 1:
            self._lost += 1
            return
        self._left -= 1
        if self._lost:
            lost, self._lost = self._lost, 0
            self._put(f"{lost} lines were left out", "warning")
        self._put(" ".join(text.split()), level)

    def _put(self, text: str, level: str) -> None:
        mark = f"<{LEVELS[level]}>" if _in_journal() else ""
        line = f"{mark}{self._formed(text, level)}\n"
        # AttributeError: without a stderr, sys.stderr is None.
        with suppress(OSError, ValueError, AttributeError):
            try:
                sys.stderr.write(line)
                sys.stderr.flush()
            except BrokenPipeError:
                _discard_stderr()

    def _formed(self, text: str, level: str) -> str:
        if self.form == "text":
            return f"edge-fer: {text}"
        time = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps({"time": time, "level": level, "program": "edge-fer", "text": text})


LOG = Log()
"""The one of this process: stderr is one, too."""


def notice(text: str, level: str = "info") -> None:
    """Say one line; a closed or full stderr is no reason to fail."""
    LOG.say(text, level)


def read_form(text: str) -> str:
    """A form's own name; raises ValueError."""
    if text not in FORMS:
        raise ValueError(text)
    return text


class Seldom:
    """Notices that would repeat with every frame: one in so many seconds."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._next = 0.0

    def notice(self, text: str, level: str = "warning") -> None:
        """Say the line, unless another was said a moment ago."""
        if monotonic() >= self._next:
            self._next = monotonic() + self._seconds
            notice(text, level)


def _in_journal() -> bool:
    """True when stderr is the stream that systemd named (systemd.exec(5), JOURNAL_STREAM)."""
    named = os.environ.get("JOURNAL_STREAM")
    if not named:
        return False
    try:
        status = os.fstat(STDERR)
    except OSError:
        return False
    return named == f"{status.st_dev}:{status.st_ino}"


def _discard_stderr() -> None:
    """Nobody reads it: what is buffered must not fail once more, and with it Python's own end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno())
    os.close(nowhere)

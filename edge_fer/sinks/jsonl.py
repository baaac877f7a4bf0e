"""Events as JSON lines, to stdout or to a file, by a thread: a stuck reader stops nobody."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_fer.errors import ConfigError
from edge_fer.notices import notice
from edge_fer.options import read_options
from edge_fer.sinks.encoding import encode
from edge_fer.sinks.lines import LineFile, Stdout, check_place
from edge_fer.sinks.setting import Setting

QUEUE = 256
"""Events that wait for a slow reader; then the oldest is dropped."""
FLUSH_S = 2.0
"""Longest wait of `close`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the sink; raises ValueError for what cannot be."""

    file: str = ""
    """To append to; `-` is stdout."""
    max_mb: float = 16.0
    """Megabytes at which a new file is begun; 0 is never."""
    keep: int = 3
    """Older files beside it, as FILE.1 (the newest) to FILE.3."""

    def __post_init__(self) -> None:
        if not 0 <= self.max_mb <= 1e6:
            raise ValueError(f"max_mb is {self.max_mb:g}, expected 0 (never) to 1000000")
        if not 0 <= self.keep <= 99:
            raise ValueError(f"keep is {self.keep}, expected 0 to 99")


def read_settings(argument: str) -> Settings:
    """The settings of `FILE,max_mb=10,keep=5`; raises ConfigError naming the option."""
    file, _, rest = argument.partition(",")
    if not file:
        raise ConfigError("jsonl: needs a file, such as jsonl:events.jsonl, or jsonl:- for stdout")
    if file == "-" and rest:
        raise ConfigError(f"jsonl:- is stdout and has no options, not {rest!r}")
    return read_options(Settings(file), rest, "jsonl")


class JsonLines:
    """`-` is stdout; a file is appended to, made with mode 0600, and begun anew when it is full."""

    dropped: int
    """Events that were never written: the queue or the disk was full."""

    def __init__(self, argument: str, setting: Setting | None = None) -> None:
        settings = read_settings(argument)
        limit = round(settings.max_mb * 1e6)
        self._out = Stdout() if argument == "-" else LineFile(settings.file, limit, settings.keep)
        self._name = "stdout" if argument == "-" else settings.file
        self._metrics = (setting or Setting()).metrics
        self.dropped = self._lost = 0
        self._queue: deque[bytes] = deque()
        self._closed = self._broken = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="jsonl", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads may be started
            self._out.close()
            raise

    @classmethod
    def proven(cls, argument: str, setting: Setting) -> bytes:
        """Check the options and the place, but make no file; there are no secrets."""
        settings = read_settings(argument)
        if settings.file == "-":
            Stdout()
        else:
            check_place(settings.file)
        return b""

    @property
    def backlog(self) -> int:
        """Events that wait for their reader."""
        return 0 if self._broken else len(self._queue)

    @property
    def trouble(self) -> str:
        """`storage` while the disk takes nothing, `sink` once the reader has gone; else empty."""
        if self._broken:
            return "sink"
        return "storage" if self._lost else ""

    def write(self, event: Mapping[str, Any]) -> None:
        """Queue one event; raises BrokenPipeError when the reader has gone."""
        line = encode(event)
        with self._change:
            if self._broken:
                raise BrokenPipeError(f"{self._name} was closed by its reader")
            if len(self._queue) == QUEUE:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(line)
            self._change.notify()

    def close(self) -> None:
        """Write what is queued, for 2 s at most."""
        with self._change:
            self._closed = True
            self._change.notify()
        self._thread.join(FLUSH_S)
        if not self._thread.is_alive():
            self._out.close()

    def _run(self) -> None:
        """The thread: write line after line."""
        while not self._broken and (line := self._next()) is not None:
            self._deliver(line)

    def _next(self) -> bytes | None:
        with self._change:
            self._change.wait_for(lambda: self._queue or self._closed)
            return self._queue.popleft() if self._queue else None

    def _deliver(self, line: bytes) -> None:
        try:
            self._out.put(line)
        except OSError as error:
            if self._out.abandoned(error):
                with self._change:
                    self._broken = True
                self._out.discard()
            else:
                self._failed(error)
        else:
            self._succeeded(line)

    def _failed(self, error: OSError) -> None:
        self.dropped += 1
        self._lost += 1
        if self._lost == 1:
            reason = f"{self._name}: {error.strerror or error}"
            notice(f"{reason}; events are dropped until it takes them again", "warning")

    def _succeeded(self, line: bytes) -> None:
        if isinstance(self._out, LineFile):
            self._metrics.written.add(len(line))
        if self._lost:
            notice(f"{self._name}: takes events again; {self._lost} were dropped")
            self._lost = 0

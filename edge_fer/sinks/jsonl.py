"""Events as JSON lines, to stdout or to a file, by a thread: a stuck reader stops nobody."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from edge_fer.errors import ConfigError, StorageError
from edge_fer.notices import notice
from edge_fer.sinks.encoding import encode
from edge_fer.sinks.setting import Setting

STDOUT = 1
QUEUE = 256
"""Events that wait for a slow reader; then the oldest is dropped."""
FLUSH_S = 2.0
"""Longest wait of `close`."""


class JsonLines:
    """`-` is stdout; a file is appended to, made with mode 0600."""

    dropped: int
    """Events that were never written: the queue or the disk was full."""

    def __init__(self, argument: str, setting: Setting | None = None) -> None:
        self._name = "stdout" if argument == "-" else argument
        self._descriptor = _stdout() if argument == "-" else _opened(argument)
        # A process that was killed, or a full disk, may have left half a line.
        self._torn = argument != "-" and _ends_torn(argument)
        self.dropped = self._lost = 0
        self._queue: deque[bytes] = deque()
        self._closed = self._broken = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="jsonl", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Events that wait for their reader."""
        return 0 if self._broken else len(self._queue)

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
        if self._thread.is_alive() or self._descriptor == STDOUT:
            return
        os.close(self._descriptor)

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
            self._put(line)
        except BrokenPipeError:
            self._break()
        except OSError as error:
            self._failed(error)
        else:
            self._succeeded()

    def _put(self, line: bytes) -> None:
        """Write a whole line, on a new one if the last is torn."""
        data = b"\n" + line if self._torn else line
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        finally:
            if written:
                self._torn = data[written - 1 : written] != b"\n"

    def _break(self) -> None:
        """The reader has gone: nothing that is still printed may raise for it."""
        with self._change:
            self._broken = True
        if self._descriptor == STDOUT:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, STDOUT)
            os.close(nowhere)

    def _failed(self, error: OSError) -> None:
        self.dropped += 1
        self._lost += 1
        if self._lost == 1:
            notice(f"{self._name}: {error.strerror}; events are dropped until it takes them again")

    def _succeeded(self) -> None:
        if self._lost:
            notice(f"{self._name}: takes events again; {self._lost} were dropped")
            self._lost = 0


def _stdout() -> int:
    if sys.__stdout__ is None:
        # Its number may by now belong to a camera or a file of ours.
        raise ConfigError("jsonl:- needs a stdout, but it is closed; choose jsonl:FILE")
    return STDOUT


def _opened(path: str) -> int:
    """A descriptor that appends; raises ConfigError or StorageError naming the file."""
    if not path:
        raise ConfigError("jsonl: needs a file, such as jsonl:events.jsonl, or jsonl:- for stdout")
    try:
        # Without O_NONBLOCK a FIFO that nobody reads would hang us here.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be opened for events ({error.strerror}); "
            "choose a file in a folder that exists and may be written"
        ) from error
    os.set_blocking(descriptor, True)
    return descriptor


def _ends_torn(path: str) -> bool:
    """True for a regular file whose last byte is no line end."""
    if not os.path.isfile(path) or not os.path.getsize(path):
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"

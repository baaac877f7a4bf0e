"""Places that take whole lines: stdout, and a file that mends torn lines and does not grow on."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from contextlib import suppress

from edge_fer.errors import ConfigError, StorageError

STDOUT = 1


class Stdout:
    """File descriptor 1."""

    def __init__(self) -> None:
        if sys.__stdout__ is None:
            # Its number may by now belong to a camera or a file of ours.
            raise ConfigError("jsonl:- needs a stdout, but it is closed; choose jsonl:FILE")
        self._descriptor = STDOUT
        self._torn = False

    def put(self, line: bytes) -> None:
        """Write a whole line, on a new one if the last is torn; raises OSError."""
        data = b"\n" + line if self._torn else line
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        finally:
            if written:
                self._torn = data[written - 1 : written] != b"\n"

    def abandoned(self, error: OSError) -> bool:
        """True when the reader has gone: a pipe's, or a terminal, which says EIO."""
        return error.errno in (errno.EPIPE, errno.EIO)

    def discard(self) -> None:
        """The reader has gone: nothing that is still printed may raise for it."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, STDOUT)
        os.close(nowhere)

    def close(self) -> None:
        """Nothing: it is not ours."""


class LineFile(Stdout):
    """A file, or a FIFO that somebody reads; raises ConfigError or StorageError naming it."""

    def __init__(self, path: str, limit: int = 0, keep: int = 0) -> None:
        self._path, self._limit, self._keep = path, limit, keep
        self._descriptor = _opened(path)
        # A process that was killed, or a full disk, may have left half a line.
        self._torn = _ends_torn(path)

    def put(self, line: bytes) -> None:
        """As of stdout; a regular file that would grow beyond the limit is begun anew before."""
        status = os.fstat(self._descriptor)
        full = status.st_size and status.st_size + len(line) > self._limit > 0
        if full and stat.S_ISREG(status.st_mode):
            self._rotate()
        super().put(line)

    def abandoned(self, error: OSError) -> bool:
        """True when a FIFO's reader has gone; a disk with errors may get well."""
        return error.errno == errno.EPIPE

    def discard(self) -> None:
        """Nothing: nobody else writes here."""

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)

    def _rotate(self) -> None:
        """FILE becomes FILE.1, FILE.1 becomes FILE.2, and so on; the oldest goes.

        The new file is there before any other is touched: without it nothing may be lost.
        """
        name = f"{self._path}.new"
        fresh = _fresh(name)
        try:
            self._shift()
            os.replace(name, self._path)
        except OSError:
            os.close(fresh)
            os.unlink(name)
            raise
        os.close(self._descriptor)
        self._descriptor, self._torn = fresh, False

    def _shift(self) -> None:
        """Each file to the next older name, up to the first that is free."""
        names = [self._path, *(f"{self._path}.{i}" for i in range(1, self._keep + 1))]
        free = next((i for i, name in enumerate(names) if not os.path.lexists(name)), self._keep)
        for i in range(free, 0, -1):
            os.replace(names[i - 1], names[i])


def _opened(path: str) -> int:
    """A descriptor that appends, and that no other sink has; raises StorageError."""
    try:
        # Without O_NONBLOCK a FIFO that nobody reads would hang us here.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise _unusable(path, error.errno) from error
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        _claim(descriptor, path)
    os.set_blocking(descriptor, True)
    return descriptor


def _fresh(path: str) -> int:
    """A new file in place of what an interrupted rotation left; raises StorageError alone."""
    with suppress(FileNotFoundError):
        if not os.path.getsize(path):
            os.unlink(path)
    if os.path.lexists(path):
        raise _unusable(path, errno.EEXIST)
    try:
        return _opened(path)
    except ConfigError as error:  # no lock is to be had there
        raise StorageError(str(error)) from error


def check_place(path: str) -> None:
    """Raise StorageError where a file cannot be opened for events; makes none."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise _unusable(path, errno.EISDIR)
    if not os.path.isdir(folder):
        raise _unusable(path, errno.ENOENT)
    if not (os.access(path, os.W_OK) if os.path.exists(path) else os.access(folder, os.W_OK)):
        raise _unusable(path, errno.EACCES)


def _unusable(path: str, number: int | None) -> StorageError:
    return StorageError(
        f"{path}: cannot be opened for events ({os.strerror(number or 0)}); "
        "choose a file in a folder that exists and may be written"
    )


def _claim(descriptor: int, path: str) -> None:
    """Two writers would rotate the file away under each other."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise ConfigError(f"{path}: another sink writes there already; choose another") from error


def _ends_torn(path: str) -> bool:
    """True for a regular file whose last byte is no line end."""
    if not os.path.isfile(path) or not os.path.getsize(path):
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"

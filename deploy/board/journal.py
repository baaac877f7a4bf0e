"""One command at a time, and what was left unfinished by one that was killed."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from deploy.board.places import Places, make_folder, unlink, write
from deploy.board.refusal import Refusal


class Journal:
    """`journal.json` is there from the moment a switch is decided upon until it has an outcome."""

    def __init__(self, places: Places) -> None:
        self._path = places.workshop / "journal.json"
        self._failure = places.workshop / "last-failure.json"

    def read(self) -> dict[str, Any] | None:
        """What was begun; None where nothing was."""
        return _json(self._path)

    def write(self, **entry: Any) -> None:
        """Begin, or take another turn."""
        write(self._path, json.dumps(entry).encode())

    def close(self) -> None:
        """It has an outcome."""
        unlink(self._path)

    def failed(self, **why: Any) -> None:
        """Remember for `status` which generation was found bad."""
        write(self._failure, json.dumps(why).encode())

    def failure(self) -> dict[str, Any] | None:
        """The last one, until a deploy succeeds."""
        return _json(self._failure)

    def forgive(self) -> None:
        """A deploy succeeded."""
        unlink(self._failure)


def take_lock(places: Places, who: str) -> int:
    """Hold the board until this process (and what it forks) ends; raises Refusal naming who does.

    The kernel lets go of it however the process dies.
    """
    make_folder(places.workshop)
    path = places.workshop / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another command"
        os.close(descriptor)
        raise Refusal("busy", f"{holder} is at work on this board; wait until it ends") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, who.encode(), 0)
    return descriptor


def _json(path: Path) -> dict[str, Any] | None:
    """None also for what cannot be read: then the links alone say what is."""
    try:
        entry = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return entry if isinstance(entry, dict) else None

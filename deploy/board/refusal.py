"""What stops a command: one line for a person, and of which kind it is."""

from __future__ import annotations

import errno


class Refusal(Exception):
    """`kind` is one of KINDS; `str()` is the line."""

    def __init__(self, kind: str, line: str) -> None:
        super().__init__(line)
        self.kind = kind


class Interrupted(Exception):
    """The workstation is gone."""


KINDS = ("refused", "disk", "busy", "missing", "broken")
"""The workstation turns each into an exit status of its own."""


def of(error: Exception) -> Refusal:
    """Any error as a refusal."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Interrupted):
        return Refusal("broken", "the transfer was interrupted")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refusal("disk", f"the board's disk is full ({error.filename or 'while writing'})")
    if isinstance(error, OSError):
        where = error.filename or "the board"
        return Refusal("disk", f"{where}: {error.strerror or error}; nothing half-written stays")
    return Refusal("broken", f"{type(error).__name__}: {error}")

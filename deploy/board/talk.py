"""The conversation with the workstation: JSON lines out; one JSON line, then raw bytes, in."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any

from deploy.board.refusal import Interrupted

CHUNK = 1 << 20
LONGEST_LINE = 4 << 20
"""Bytes of a request: names and hashes of some dozens of files, a configuration, a unit."""


class Talk:
    """Reads nothing beyond what was asked for; writes on even when nobody listens any more."""

    def __init__(self, source: int = 0) -> None:
        self._source = source
        self._ahead = b""

    def request(self) -> dict[str, Any]:
        """The line that says what is to be done."""
        while b"\n" not in self._ahead:
            if len(self._ahead) > LONGEST_LINE:
                raise ValueError("the request is too long")
            self._ahead += self._read(CHUNK)
        line, _, self._ahead = self._ahead.partition(b"\n")
        asked = json.loads(line)
        if not isinstance(asked, dict):
            raise ValueError("the request is no object")
        return asked

    def take(self, count: int) -> bytes:
        """Up to so many of the bytes that follow, at least one."""
        if not self._ahead:
            return self._read(min(count, CHUNK))
        taken, self._ahead = self._ahead[:count], self._ahead[count:]
        return taken

    def tell(self, **what: Any) -> None:
        """One line to the workstation; a deploy goes on without it."""
        with suppress(OSError, ValueError):
            sys.stdout.write(json.dumps(what) + "\n")
            sys.stdout.flush()

    def say(self, text: str) -> None:
        """One line for the person."""
        self.tell(say=text)

    def _read(self, count: int) -> bytes:
        taken = os.read(self._source, count)
        if not taken:
            raise Interrupted
        return taken

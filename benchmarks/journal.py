"""The finished parts of a run, so that an interrupted one goes on where it was.

One JSON object a line, each synced to the disk before the next part begins; the first line names
the plan. A last line that was torn by a power cut is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_fer.errors import StorageError
from edge_fer.storage import write_file

NAME = "unfinished.jsonl"
"""Stands in the report's folder until the report is written."""

Key = tuple[str | int, ...]


class Journal:
    """Parts by key; those of an earlier sitting with the same plan are known from the start."""

    def __init__(self, folder: Path, plan: dict[str, Any]) -> None:
        """Raises StorageError where the folder cannot be written: before anything is measured."""
        self.folder, self._path = folder, folder / NAME
        digest = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
        self._parts: dict[Key, Any] = {}
        self.sittings = 1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = _whole_lines(self._path)
            if lines and lines[0].get("plan") == digest:
                self._parts = {tuple(line["part"]): line["is"] for line in lines if "part" in line}
                self.sittings += sum("sitting" in line for line in lines)
                _rewrite(self._path, lines)
            else:
                _rewrite(self._path, [{"plan": digest}])
            self._file = self._path.open("a")
            self._append({"sitting": self.sittings})
        except OSError as error:
            raise StorageError(
                f"{folder}: cannot be written ({error.strerror}); choose another --out"
            ) from error

    def get(self, *key: str | int) -> Any:
        """The part, or None."""
        return self._parts.get(key)

    def put(self, value: Any, *key: str | int) -> None:
        """Keep a finished part; raises StorageError."""
        self._parts[key] = value
        try:
            self._append({"part": key, "is": value})
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be written ({error.strerror})") from error

    def close(self) -> None:
        """Leave the file for the next sitting."""
        with suppress(OSError):
            self._file.close()

    def finish(self) -> None:
        """The report is written: forget the parts."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _append(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _rewrite(path: Path, lines: list[dict[str, Any]]) -> None:
    write_file(path, "".join(json.dumps(line) + "\n" for line in lines).encode())


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with suppress(FileNotFoundError, ValueError), path.open() as file:
        for text in file:
            line = json.loads(text)
            if not isinstance(line, dict):
                break
            found.append(line)
    return found

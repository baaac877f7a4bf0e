"""Wheels by their content: each is sent to a board once, for as long as a release needs it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from deploy.board.places import READY, Places, discard, make_folder, plain
from deploy.board.refusal import Refusal

SHA256 = re.compile(r"[0-9a-f]{64}")
CHUNK = 1 << 20

File = dict[str, Any]
"""`name`, `size` and `sha256`, as the workstation says them."""


class Shelf:
    """`wheels/SHA256/NAME`: pip wants a wheel under its own name."""

    def __init__(self, places: Places) -> None:
        self._folder, self._releases = places.wheels, places.releases

    def place(self, file: File) -> Path:
        """Where a wheel lies, or would lie; raises Refusal for a hash or name that is none."""
        if not SHA256.fullmatch(file["sha256"]):
            raise Refusal("broken", f"{file['sha256'][:80]!r} is no SHA-256")
        folder: Path = self._folder / file["sha256"]
        return folder / plain(file["name"])

    def has(self, file: File) -> bool:
        """True where it lies there whole: a card may forget, so it is read again."""
        hashed = hashlib.sha256()
        try:
            with self.place(file).open("rb") as wheel:
                while part := wheel.read(CHUNK):
                    hashed.update(part)
        except OSError:
            return False
        return hashed.hexdigest() == str(file["sha256"])

    def put(self, file: File, arrived: Path) -> None:
        """Take a file that was checked as it arrived."""
        place = self.place(file)
        make_folder(place.parent)
        os.replace(arrived, place)

    def sweep(self, releases: Iterable[str], coming: Iterable[File]) -> None:
        """Throw away what neither these releases nor the coming files need."""
        needed = {file["sha256"] for file in coming}
        for name in releases:
            needed |= {file["sha256"] for file in self._files(name)}
        for one in self._folder.iterdir() if self._folder.is_dir() else ():
            if one.name not in needed:
                discard(one)

    def _files(self, release: str) -> list[File]:
        """What a release was made of; nothing for one that cannot say it any more."""
        with suppress(OSError, ValueError, KeyError):
            files: list[File] = json.loads((self._releases / release / READY).read_bytes())["files"]
            return files
        return []

"""What a power cut may leave of a folder: a model of a disk that forgets what was not synced.

Durable is a file's content at its last fsync, and a folder's list of names at its own; every later
list may have reached the disk too, for a rename is one step of the journal. What was never synced
is empty, as on the boards of mosquitto#2639.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from edge_fer import storage

Key = tuple[int, int]
"""Inode, and which of the files that have had its number."""
Left = bytes | frozenset[tuple[str, Any]] | None
"""A file's content, a folder's, or nothing of that name."""


class Cuts:
    """Watches one folder while something is written into it."""

    def __init__(self, folder: Path, target: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._target = folder, target
        self._content: dict[Key, bytes] = {}
        self._lists: dict[Key, list[dict[str, Key]]] = {}
        self._numbers: dict[int, int] = {}
        self._alive: set[int] = set()
        self.left: list[Left] = []
        """What each cut, at each moment, may leave of the target."""
        self._look()
        for path in [folder, *folder.rglob("*")]:
            self._synced(path)
        for module, name in ((os, "fsync"), (os, "replace"), (storage, "_exchange")):
            patch.setattr(module, name, self._watched(getattr(module, name), name))

    def _watched(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:
            self._cut()
            done = call(*arguments)
            if name == "fsync":
                self._synced(Path(os.readlink(f"/proc/self/fd/{arguments[0]}")))
            self._cut()
            return done

        return watched

    def _cut(self) -> None:
        """The power fails now."""
        self._look()
        for names in self._lists[self._key(self._folder)]:
            self.left.extend(self._found(names.get(self._target.name)))

    def _found(self, key: Key | None) -> Iterator[Left]:
        if key is None:
            yield None
        elif key in self._lists:
            for names in self._lists[key]:
                yield frozenset((n, next(self._found(one))) for n, one in names.items())
        else:
            yield self._content.get(key, b"")

    def _synced(self, path: Path) -> None:
        if self._folder not in (path, *path.parents):
            return
        self._look()
        if path.is_dir():
            self._lists[self._key(path)] = [self._names(path)]
        else:
            self._content[self._key(path)] = path.read_bytes()

    def _look(self) -> None:
        """Note the lists of names as they are now."""
        there = {path.stat().st_ino for path in chain([self._folder], self._folder.rglob("*"))}
        for inode in there - self._alive:
            self._numbers[inode] = self._numbers.get(inode, 0) + 1
        self._alive = there
        for path in [self._folder, *filter(Path.is_dir, self._folder.rglob("*"))]:
            lists = self._lists.setdefault(self._key(path), [{}])
            if (names := self._names(path)) != lists[-1]:
                lists.append(names)

    def _names(self, folder: Path) -> dict[str, Key]:
        return {path.name: self._key(path) for path in folder.iterdir()}

    def _key(self, path: Path) -> Key:
        inode = path.stat().st_ino
        return inode, self._numbers[inode]


def cuts(folder: Path, target: Path, write: Callable[[], None]) -> list[Left]:
    """All that power cuts while `write` runs may leave of the target."""
    with pytest.MonkeyPatch.context() as patch:
        watch = Cuts(folder, target, patch)
        write()
        return watch.left

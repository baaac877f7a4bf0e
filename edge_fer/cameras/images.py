"""Picture files as frames: one file, a folder, or a glob pattern."""

from __future__ import annotations

import glob
import time
from collections.abc import Iterator
from pathlib import Path

from edge_fer.errors import ConfigError, NotFound
from edge_fer.images import SUFFIXES, read_image
from edge_fer.types import Frame


class ImagesCamera:
    """Pictures in the order of their names; sizes may differ from frame to frame."""

    live = False

    def __init__(self, pattern: str) -> None:
        if not pattern:
            raise ConfigError("images: needs a file, folder or pattern, such as images:faces/*.png")
        self.paths = _matching(pattern)
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self.paths):
            if self._closed:
                return
            yield Frame(read_image(path), index, time.monotonic(), time.time())

    def close(self) -> None:
        """Stop before the next picture."""
        self._closed = True


def _matching(pattern: str) -> list[Path]:
    """The sorted picture files of a file name, folder or glob; raises NotFound if there is none."""
    path = Path(pattern)
    if path.is_file():
        return [path]
    found = path.iterdir() if path.is_dir() else map(Path, glob.glob(pattern, recursive=True))
    pictures = sorted(p for p in found if p.suffix.lower() in SUFFIXES and p.is_file())
    if not pictures:
        raise NotFound(f"{pattern}: no pictures there; looked for {' '.join(SUFFIXES)}")
    return pictures

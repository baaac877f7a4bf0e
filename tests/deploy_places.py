"""Where a board's files may lie in a test: every step waits for the disk, and memory is quick."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@contextmanager
def memory(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, where programs can be started from there."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        yield factory.mktemp("board")
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="edge-fer-") as folder:
        yield Path(folder)

"""Boards for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import FolderBoard
from deploy_places import memory
from tiny import tiny_bundle, tiny_wheel


@pytest.fixture
def board(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FolderBoard]:
    """A board on which nothing was deployed yet."""
    with memory(tmp_path_factory) as root:
        one = FolderBoard(root)
        for key, value in one.environment().items():
            monkeypatch.setenv(key, value)
        yield one
        one.systemctl("stop")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return tiny_wheel(tmp_path, "1.0")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny_bundle(tmp_path / "bundle")

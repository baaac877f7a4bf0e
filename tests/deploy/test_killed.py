"""Every step of a deploy x {killed, failed, disk full} x {a boot, the next deploy}: never a mix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from boards import TOML, FolderBoard, runs, whole
from deploy_places import memory
from tiny import tiny_bundle, tiny_wheel

from deploy.board.steps import AFTER, BACK, BEFORE
from deploy.plan import Plan
from edge_fer.errors import EdgeFerError, HostUnreachable, StorageError

UNDO = "trial:error"
"""What sends a deploy on the way back."""


class Fleet:
    """One board on which two releases take turns, so that none is installed twice."""

    def __init__(self, board: FolderBoard, folder: Path) -> None:
        self.board = board
        self.plans = [
            board.plan(
                tiny_wheel(folder, version),
                tiny_bundle(folder / f"bundle{version}", version),
                f'{TOML}camera-id = "one{version[0]}"\n',
            )
            for version in ("1.0", "2.0")
        ]
        for plan in self.plans:
            board.bring(plan)

    def other(self) -> Plan:
        """The one that does not run now."""
        current = json.loads((self.board.home / "current" / "generation.json").read_text())
        return next(plan for plan in self.plans if plan.version != current["version"])

    def version(self) -> str:
        """What runs, which must be one release in all its parts."""
        running, linked = runs(self.board), whole(self.board)
        assert running is not None
        assert linked is not None
        record = self.board.home / "generations" / running / "generation.json"
        version: str = json.loads(record.read_text())["version"]
        return version

    def settled(self) -> str:
        """What runs, once nothing is left to be finished."""
        assert not (self.board.home / "deploy" / "journal.json").exists()
        assert runs(self.board) == whole(self.board)
        assert not list(self.board.home.rglob("*.part"))
        return self.version()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with pytest.MonkeyPatch.context() as patch, memory(tmp_path_factory) as root:
        board = FolderBoard(root)
        for key, value in board.environment().items():
            patch.setenv(key, value)
        yield Fleet(board, tmp_path_factory.mktemp("releases"))
        board.systemctl("stop")


ENDS = cycle(("boot", "deploy"))
"""Each step is killed once here, in turns; `make test-systemd` has all of them with both ends."""
KILLS = [(f"{step}:kill", next(ENDS)) for step in (*BEFORE, *AFTER)]
KILLS += [(f"{UNDO},{step}:kill", next(ENDS)) for step in BACK]


@pytest.mark.parametrize(("faults", "end"), KILLS)
def test_u1_killed_on_the_board_it_is_the_old_or_the_new(
    fleet: Fleet, faults: str, end: str
) -> None:
    new = fleet.other()
    old = next(plan for plan in fleet.plans if plan is not new)
    with pytest.raises(HostUnreachable):
        fleet.board.bring(new, faults)
    assert fleet.version() in (old.version, new.version)
    if end == "boot":
        fleet.board.boot()
        passed = faults in DECIDED
        assert fleet.settled() == (new.version if passed else old.version)
    else:
        fleet.board.bring(new)
        assert fleet.settled() == new.version


DECIDED = [f"{step}:kill" for step in ("restart", "trial", "commit", "settle")]
DECIDED += [f"{UNDO},back-journal:kill"]
"""Killed there, the new release gets its trial (again) from whoever comes next, and passes it."""
ERRORS = [f"{step}:error" for step in (*BEFORE, *AFTER)]
ERRORS += [f"{step}:full" for step in ("receive", "install", "journal", "switch")]


@pytest.mark.parametrize("faults", ERRORS)
def test_u1_an_error_leaves_the_old_release_running(fleet: Fleet, faults: str) -> None:
    new = fleet.other()
    old = next(plan for plan in fleet.plans if plan is not new)
    with pytest.raises(StorageError):
        fleet.board.bring(new, faults)
    assert fleet.settled() == old.version


@pytest.mark.parametrize("step", BACK)
def test_u1_an_error_on_the_way_back_is_mended_by_the_next_boot(fleet: Fleet, step: str) -> None:
    new = fleet.other()
    old = next(plan for plan in fleet.plans if plan is not new)
    with pytest.raises(EdgeFerError):
        fleet.board.bring(new, f"{UNDO},{step}:error")
    assert fleet.version() in (old.version, new.version)
    fleet.board.boot()
    assert fleet.settled() in (old.version, new.version)

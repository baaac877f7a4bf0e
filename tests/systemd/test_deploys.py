"""Deploys of real releases to a real systemd: what goes wrong is taken back, killed or not."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from turns import Turns

from deploy.board.steps import AFTER, BACK, BEFORE

Deploy = Callable[..., subprocess.CompletedProcess[str]]
UNDO = "trial:error"
DECIDED = [f"{step}:kill" for step in ("restart", "trial", "commit", "settle")]
DECIDED += [f"{UNDO},back-journal:kill"]
"""Killed there, the new release gets its trial (again) from whoever comes next, and passes it."""


def test_the_same_again_changes_nothing(turns: Turns) -> None:
    before = turns.seen()
    assert "runs all of this already" in turns.bring(before["version"]).stdout
    assert turns.seen() == before


def test_a_bundle_that_answers_otherwise_never_replaces_the_one_that_runs(
    turns: Turns, deploy: Deploy, bundle: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(bundle, wrong)
    answers, manifest = wrong / "selftest.json", wrong / "manifest.json"
    record = json.loads(answers.read_text())
    record["own"] = [row[::-1] for row in record["own"]]
    answers.write_text(json.dumps(record))
    told = json.loads(manifest.read_text())
    told["files"]["selftest.json"] = hashlib.sha256(answers.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(told))
    pid = turns.machine.say("systemctl show edge-fer --value --property MainPID")
    before = turns.seen()
    done = deploy("board", f"--bundle={wrong}")
    assert (done.returncode, "faces answer as where it was made" in done.stderr) == (1, True)
    assert turns.seen() == before
    assert turns.machine.say("systemctl show edge-fer --value --property MainPID") == pid


def test_u2_a_release_that_fails_as_a_service_is_rolled_back(
    turns: Turns, deploy: Deploy, wheels: dict[str, Path], bundle: Path
) -> None:
    before = turns.settled()
    began = time.monotonic()
    done = deploy("board", f"--bundle={bundle}", f"--wheel={wheels['broken']}")
    print(f"deploy and rollback: {time.monotonic() - began:.1f} s")
    assert "MB in 1 files" in done.stdout  # all other wheels are there
    assert (done.returncode, "the last status was 70" in done.stderr) == (1, True)
    assert turns.settled() == before
    assert turns.machine.say("systemctl is-active edge-fer") == "active"


def test_a_camera_that_was_there_before_must_be_there_after(
    turns: Turns, deploy: Deploy, bundle: Path
) -> None:
    before = turns.settled()
    lost = 'version = 1\ncamera = "/dev/video9"\n'
    done = deploy("board", f"--bundle={bundle}", "--wait=15", config=lost)
    assert (done.returncode, "no frame was analysed (camera lost)" in done.stderr) == (1, True)
    assert turns.settled() == before


def test_another_user_needs_sudo(turns: Turns, deploy: Deploy) -> None:
    turns.machine.run("id pi || useradd --create-home pi")
    refused = deploy("status", "pi@board")
    assert (refused.returncode, "may not become root" in refused.stderr) == (77, True)
    turns.machine.run("echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/pi")
    assert deploy("status", "pi@board").returncode == 0


ENDS = ("boot", "deploy")
KILLS = [(f"{step}:kill", end) for step in (*BEFORE, *AFTER) for end in ENDS]
KILLS += [(f"{UNDO},{step}:kill", end) for step in BACK for end in ENDS]


@pytest.mark.parametrize(("faults", "end"), KILLS)
def test_u1_killed_it_is_the_old_or_the_new(turns: Turns, faults: str, end: str) -> None:
    old = turns.settled()
    new = turns.other(old)
    assert turns.bring(new, faults).returncode == 68
    assert turns.seen()["version"] in (old, new, None)  # None: between the two
    if end == "boot":
        turns.machine.power_cut()
        turns.machine.boot()
        passed = faults in DECIDED
        assert turns.settled() == (new if passed else old)
    else:
        assert turns.bring(new).returncode == 0
        assert turns.settled() == new
    turns.counts[f"kill, then {end}"] += 1


ERRORS = [f"{step}:{how}" for step in (*BEFORE, *AFTER) for how in ("error", "full")]


@pytest.mark.parametrize("faults", ERRORS)
def test_u1_an_error_leaves_the_old_one_running(turns: Turns, faults: str) -> None:
    old = turns.settled()
    assert turns.bring(turns.other(old), faults).returncode == 74
    assert turns.settled() == old
    turns.counts["error" if "error" in faults else "disk full"] += 1


@pytest.mark.parametrize("step", BACK)
def test_u1_an_error_on_the_way_back_is_mended_by_a_boot(turns: Turns, step: str) -> None:
    old = turns.settled()
    assert turns.bring(turns.other(old), f"{UNDO},{step}:error").returncode == 74
    turns.machine.power_cut()
    turns.machine.boot()
    assert turns.settled() in (old, turns.other(old))
    turns.counts["error on the way back, then boot"] += 1

"""Bundles for Intel's stick: on which boards, and the proof while the running daemon has the stick.

No stick was at hand: the CPU plugin of the same runtime stands in for one, as in the proof itself.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from boards import TOML, FolderBoard, Here, runs, survey, whole
from sticks import environment
from tiny import tiny_wheel

from deploy import facts
from deploy.bring import bring
from deploy.stick import check
from deploy.unit import additions
from edge_fer.errors import BundleError, Refused

USB = {"sys__bus__usb__devices__1-1__idVendor": "03e7\n"}
STAMP = {"opt__edge-fer__ncs__edge-fer-ncs.json": "{}"}


def starts(folder: Path, text: str) -> None:
    """What stands for the runtime's Python."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{text}\n")
    python.chmod(0o755)


def fit(root: Path, **files: str) -> facts.Board:
    return replace(survey(root, **USB, **files), machine="x86_64")


def test_a_board_with_a_stick_and_its_runtime_takes_the_bundle(tmp_path: Path) -> None:
    starts(tmp_path / "opt/edge-fer/ncs", "exit 0")
    board = fit(tmp_path, **STAMP)
    check(board, "ncs")
    assert additions(board, "0", "ncs") == ["intel-stick.conf"]
    assert additions(board, "0", "tflite") == []


@pytest.mark.parametrize(
    ("machine", "stick", "words"),
    [("aarch64", True, "has no runtime for one"), ("x86_64", False, "has none plugged in")],
)
def test_a_board_that_cannot_have_one_is_told_of_other_targets(
    tmp_path: Path, machine: str, stick: bool, words: str
) -> None:
    board = replace(fit(tmp_path), machine=machine, stick=stick)
    with pytest.raises(BundleError, match=f"{words}: convert with --target pi, x86 or jetson"):
        check(board, "ncs")
    check(board, "tflite")


def refused(board: facts.Board) -> str:
    with pytest.raises(BundleError) as error:
        check(board, "ncs")
    assert "edge-fer setup-ncs --dir /opt/edge-fer/ncs`" in str(error.value)
    return str(error.value)


def test_a_board_without_the_runtime_is_told_how_to_make_it(tmp_path: Path) -> None:
    starts(tmp_path / "opt/edge-fer/ncs", "exit 0")
    assert "is not on the board" in refused(fit(tmp_path))  # it was never finished


def test_a_runtime_that_does_not_start_is_made_anew(tmp_path: Path) -> None:
    starts(tmp_path / "opt/edge-fer/ncs", "exit 1")
    assert "does not start" in refused(fit(tmp_path, **STAMP))


@pytest.mark.parametrize("home", ["root/.local", "home/pi/.local"])
def test_a_runtime_that_the_service_cannot_see_is_refused(tmp_path: Path, home: str) -> None:
    starts(tmp_path / home, "exit 0")
    python = tmp_path / "opt/edge-fer/ncs/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(tmp_path / home / "bin" / "python")
    assert "--install-dir /opt/python" in refused(fit(tmp_path, **STAMP))


def test_the_real_bundle_is_proven_on_the_cpu_of_its_own_runtime(
    board: FolderBoard, stick_bundle: Path, tmp_path: Path
) -> None:
    board.home.mkdir(parents=True)
    (board.home / "ncs").symlink_to(environment())
    said: list[str] = []
    plan = board.plan(tiny_wheel(tmp_path, "1.0", "proven"), stick_bundle, f"{TOML}threads = 2\n")
    told, _ = bring(Here("here"), sys.executable, plan, said.append)
    assert told["works"]
    assert whole(board) == runs(board) == "1"
    (proof,) = (line for line in said if "selftest of" in line)
    assert "xception-fp16-ncs on CPU" in proof
    unit = (board.home / "current" / "edge-fer.service").read_text()
    assert "DeviceAllow=char-usb_device rw" in unit
    assert "Environment=EDGE_FER_NCS=/opt/edge-fer/ncs" in unit
    board.ask("remove")
    assert [one.name for one in board.home.iterdir()] == ["ncs"]  # made by hand, and kept


def test_without_its_runtime_the_proof_says_so_and_nothing_changes(
    board: FolderBoard, stick_bundle: Path, tmp_path: Path
) -> None:
    plan = board.plan(tiny_wheel(tmp_path, "1.0", "proven"), stick_bundle)
    with pytest.raises(Refused, match="the environment of the Intel stick is not there"):
        board.bring(plan)
    assert whole(board) is None

"""What a board says of itself, and what follows from it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from boards import survey

from deploy import facts
from deploy.unit import additions
from deploy.wheels import environment, platforms
from edge_fer.errors import Refused

PI = "Raspberry Pi 5 Model B Rev 1.0\0"
ORIN = "NVIDIA Jetson Orin Nano Developer Kit\0"
TEGRA = "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n"


def test_a_raspberry_pi(tmp_path: Path) -> None:
    os_release = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
    board = survey(tmp_path, **{"proc__device-tree__model": PI, "etc__os-release": os_release})
    assert (board.kind, board.model) == ("pi", PI.rstrip("\0"))
    assert board.os == "Debian GNU/Linux 12 (bookworm)"
    assert board.python == sys.version_info[:3]
    assert not board.stick
    assert additions(board, "picamera:0", "tflite") == ["raspberry-pi-csi.conf"]
    assert additions(board, "0", "tflite") == []


def test_a_jetson(tmp_path: Path) -> None:
    board = survey(tmp_path, **{"proc__device-tree__model": ORIN, "etc__nv_tegra_release": TEGRA})
    assert (board.kind, board.jetpack) == ("jetson", "(L4T 36.4.3)")
    assert additions(board, "0", "tflite") == ["jetson.conf"]


def test_a_pc_with_a_stick_and_a_camera(tmp_path: Path) -> None:
    board = survey(
        tmp_path, **{"sys__bus__usb__devices__1-1__idVendor": "03e7\n", "dev__video0": ""}
    )
    assert board.stick
    assert board.cameras == ("/dev/video0",)
    assert "Intel stick" in board.line()


def test_the_configuration_comes_as_it_is_there(tmp_path: Path) -> None:
    text = '# "quotes", back\\slashes, $HOME, ünïcödé\ncamera = "0"\n'
    board = survey(tmp_path, **{"etc__edge-fer__edge-fer.toml": text})
    assert board.config.decode() == text
    assert board.trusted == b""


@pytest.fixture
def fit(tmp_path: Path) -> facts.Board:
    """A Raspberry Pi 5 as it should be."""
    board = survey(tmp_path, **{"proc__device-tree__model": PI})
    return replace(
        board, machine="aarch64", python=(3, 11, 2), glibc=(2, 36), systemd="systemd 252",
        implementation="cpython", venv=True, root=True,
    )  # fmt: skip


def test_a_board_that_is_fit(fit: facts.Board) -> None:
    facts.check(fit, "python3")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"machine": "armv7l"}, "its programs are armv7l"),
        ({"python": ()}, "it has no python3"),
        ({"python": (3, 9, 2)}, "is 3.9.2, edge-fer needs 3.10"),
        ({"implementation": "pypy"}, "no complete CPython"),
        ({"venv": False}, "no complete CPython"),
        ({"glibc": ()}, "C library is not glibc"),
        ({"glibc": (2, 24)}, "C library is not glibc"),
        ({"systemd": ""}, "no systemd"),
        ({"root": False}, "may not become root"),
    ],
)
def test_a_board_that_is_not(fit: facts.Board, change: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        facts.check(replace(fit, **change), "python3")  # type: ignore[arg-type]


def test_an_answer_that_was_cut_off_is_no_board() -> None:
    with pytest.raises(Refused, match="did not say what it is"):
        facts.read("machine=x86_64\nmodel=\n")


def test_wheels_are_chosen_by_the_boards_c_library(fit: facts.Board) -> None:
    tags = platforms(fit)
    assert tags[0] == "manylinux_2_36_aarch64"
    assert "manylinux_2_17_aarch64" in tags
    assert "manylinux2014_aarch64" in tags
    assert "manylinux_2_37_aarch64" not in tags
    assert "manylinux2010_aarch64" not in tags


def test_markers_are_asked_of_the_boards_python(fit: facts.Board) -> None:
    told = environment(replace(fit, python=(3, 10, 12)))
    assert (told["python_version"], told["python_full_version"]) == ("3.10", "3.10.12")
    assert told["platform_machine"] == "aarch64"

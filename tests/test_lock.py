"""One daemon a device."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import RunCli

from edge_fer.config import RunConfig
from edge_fer.daemon.lock import lock_path, only_daemon
from edge_fer.errors import InUse, StorageError

HOLD = """
import sys, time
from pathlib import Path
from edge_fer.config import RunConfig
from edge_fer.daemon.lock import only_daemon
with only_daemon(RunConfig(device="hall", state_dir=Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(3600)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def ended(child: subprocess.Popen[str], number: int) -> None:
    child.send_signal(number)
    child.communicate(timeout=60)


def test_u6_a_second_daemon_exits_75_naming_the_first(cli: RunCli, tmp_path: Path) -> None:
    child = holder(tmp_path)
    try:
        done = cli("run", "--camera", "synthetic:", "--device-id", "hall", "--state-dir", tmp_path)
        assert done.returncode == 75
        assert f"pid {child.pid} runs the device 'hall' already" in done.stderr
        with only_daemon(RunConfig(device="door", state_dir=tmp_path)):
            pass
    finally:
        ended(child, signal.SIGKILL)


def test_u6_what_a_killed_daemon_left_is_taken_over(tmp_path: Path) -> None:
    child = holder(tmp_path)
    ended(child, signal.SIGKILL)
    config = RunConfig(device="hall", state_dir=tmp_path)
    assert lock_path(config).read_text() == f"{child.pid}\n"
    with only_daemon(config):
        assert lock_path(config).read_text() == f"{os.getpid()}\n"


def test_a_file_camera_may_be_read_by_many(tmp_path: Path) -> None:
    config = RunConfig(camera="video:a.mp4", state_dir=tmp_path)
    with only_daemon(config), only_daemon(config):
        assert not lock_path(config).exists()


@pytest.mark.parametrize(
    ("variable", "value", "folder"),
    [
        ("RUNTIME_DIRECTORY", "/run/edge-fer:/run/b", "/run/edge-fer"),
        ("XDG_RUNTIME_DIR", "/run/user/1", "/run/user/1"),
    ],
)
def test_the_lock_lies_in_the_services_or_the_users_own_folder(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, folder: str
) -> None:
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert lock_path(RunConfig(device="hall")) == Path(folder, "edge-fer-hall.lock")


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    config = RunConfig(device="hall", state_dir=tmp_path)
    lock_path(config).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="--state-dir"), only_daemon(config):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_in_use_ends_with_75() -> None:
    assert InUse.exit_code == 75

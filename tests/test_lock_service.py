"""A daemon that is started by hand beside the service."""

import os
import signal
from pathlib import Path

import pytest
from test_lock import ended, holder

from edge_fer.config import RunConfig
from edge_fer.daemon import lock
from edge_fer.daemon.lock import lock_path, only_daemon
from edge_fer.errors import InUse


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The service's runtime folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(lock, "SERVICE", folder)
    return folder


def by_hand(tmp_path: Path, device: str = "hall") -> RunConfig:
    return RunConfig(device=device, state_dir=tmp_path / "own")


def test_it_is_refused_naming_the_service(tmp_path: Path, service: Path) -> None:
    child = holder(service)
    try:
        refused = pytest.raises(InUse, match=f"pid {child.pid} runs the device 'hall'")
        with refused, only_daemon(by_hand(tmp_path)):
            pass
        with only_daemon(by_hand(tmp_path, "door")):
            pass
    finally:
        ended(child, signal.SIGKILL)
    with only_daemon(by_hand(tmp_path)):
        assert (service / "edge-fer-hall.lock").read_text() == f"{os.getpid()}\n"


def test_the_service_itself_keeps_its_own_lock(service: Path) -> None:
    config = RunConfig(device="hall", state_dir=service)
    for _ in range(2):
        with only_daemon(config):
            held = os.stat(lock_path(config)).st_ino
            locks = Path("/proc/locks").read_text()
            assert f":{held} " in locks


def test_a_lock_that_only_the_service_may_read_is_no_fault(tmp_path: Path, service: Path) -> None:
    (service / "edge-fer-hall.lock").symlink_to("/nowhere")
    with only_daemon(by_hand(tmp_path)):
        pass

"""A board that is removed leaves nothing with its MQTT broker, or says what it leaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import TOML, FolderBoard, Here, runs, whole
from brokers import Mosquitto, free_port, guarded, watching
from tiny import tiny_wheel

from deploy.bring import ask
from edge_fer.errors import HostUnreachable, Refused
from edge_fer.sinks.mqtt.topics import Topics

TOPICS = Topics("pi-hall", "front").retained
SECRET = "geheim"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Lets in who knows the password, and holds what a daemon has said."""
    one = guarded(tmp_path, "pi", SECRET)
    with watching(one.port, "none", name="pi", password=SECRET) as daemon:
        for topic in TOPICS:
            daemon.say(topic, b"{}", retain=True)
    yield one
    one.stop()


def configuration(board: FolderBoard, port: int) -> str:
    """Its password is a credential, which ends with the daemon."""
    secret = board.root / "etc" / "edge-fer" / "mqtt-password"
    secret.parent.mkdir(parents=True)
    secret.write_text(SECRET)
    secret.chmod(0o600)
    lines = ['device-id = "pi-hall"', 'camera-id = "front"', 'purpose = "test"', "[mqtt]"]
    lines += ['host = "127.0.0.1"', f"port = {port}", 'user = "pi"']
    lines += [f'password_file = "{board.root}/run/standin/credentials/mqtt-password"']
    return TOML + "\n".join(lines) + "\n"


def kept(port: int) -> set[str]:
    with watching(port, name="pi", password=SECRET) as late:
        late.say("end", b"of all that is kept")
        late.wait("end")
        return {topic for topic, _, retained in late.heard if retained}


def remove(board: FolderBoard, faults: str = "") -> list[str]:
    """What the board says meanwhile."""
    said: list[str] = []
    ask(Here("here"), sys.executable, "remove", said.append, faults=faults)
    return said


def test_what_the_broker_kept_is_cleared_with_the_daemons_own_secret(
    board: FolderBoard, wheel: Path, bundle: Path, broker: Mosquitto
) -> None:
    board.bring(board.plan(wheel, bundle, configuration(board, broker.port)))
    assert kept(broker.port) == set(TOPICS)
    (line,) = remove(board)
    assert line.endswith("keeps nothing of edge_fer_pi-hall any more")
    assert kept(broker.port) == set()
    assert whole(board) is runs(board) is None


def test_a_broker_that_is_away_is_a_warning_that_names_the_topics(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    board.bring(board.plan(wheel, bundle, configuration(board, free_port())))
    (line,) = remove(board)
    assert line.startswith("warning: MQTT brokers were not cleared of this device: mqtt 127.0.0.1:")
    assert "Connection refused" in line
    assert all(topic in line for topic in TOPICS)
    assert whole(board) is runs(board) is None


def test_a_release_that_cannot_do_it_yet_is_a_warning(
    board: FolderBoard, bundle: Path, tmp_path: Path
) -> None:
    old = tiny_wheel(tmp_path, "0.9", "old")
    board.bring(board.plan(old, bundle, configuration(board, free_port())))
    (line,) = remove(board)
    assert "its release is too old" in line
    assert "homeassistant/device/edge_fer_DEVICE/config" in line
    assert whole(board) is None


def test_without_a_broker_nobody_is_asked(board: FolderBoard, bundle: Path, tmp_path: Path) -> None:
    old = tiny_wheel(tmp_path, "0.9", "old")
    board.bring(board.plan(old, bundle, f"{TOML}# [mqtt]\n"))
    assert remove(board) == []


def test_killed_before_it_is_said_the_next_command_finds_a_daemon_and_says_it(
    board: FolderBoard, wheel: Path, bundle: Path, broker: Mosquitto
) -> None:
    board.bring(board.plan(wheel, bundle, configuration(board, broker.port)))
    with pytest.raises(HostUnreachable):
        remove(board, "remove-farewell:kill")
    assert kept(broker.port) == set(TOPICS)
    board.boot()
    assert kept(broker.port) == set()
    assert whole(board) is runs(board) is None


def test_a_first_deploy_that_is_taken_back_leaves_nothing_with_the_broker(
    board: FolderBoard, bundle: Path, broker: Mosquitto, tmp_path: Path
) -> None:
    board.patience_s = 3.0
    silent = tiny_wheel(tmp_path, "1.0", "silent")
    with pytest.raises(Refused, match="nothing runs, as before"):
        board.bring(board.plan(silent, bundle, configuration(board, broker.port)))
    assert kept(broker.port) == set()

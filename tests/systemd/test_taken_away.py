"""The last of this folder: back to the release of before, and off the board, as from its broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import Mosquitto, guarded, until, watching
from machine import Machine
from turns import Deploy, Turns

from edge_fer.sinks.mqtt.topics import Topics

TOPICS = Topics("pi-hall", "front").retained
SECRET = "geheim"
PLACE = "/run/credentials/edge-fer.service/mqtt-password"
TOML = """version = 1
camera = "synthetic:faces=1,fps=1"
device-id = "pi-hall"
camera-id = "front"
purpose = "test of the service"
[mqtt]
host = "127.0.0.1"
port = {port}
user = "pi"
password_file = "{place}"
"""
DROP_IN = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "mqtt-password.conf"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    one = guarded(tmp_path, "pi", SECRET)
    yield one
    one.stop()


def kept(port: int) -> set[str]:
    with watching(port, name="pi", password=SECRET) as late:
        late.say("end", b"of all that is kept")
        late.wait("end")
        return {topic for topic, _, retained in late.heard if retained}


def test_rollback_leads_back(turns: Turns, deploy: Deploy) -> None:
    before = turns.settled()
    if deploy("rollback", "board").returncode:
        assert turns.bring(turns.other(before)).returncode == 0
        assert deploy("rollback", "board").returncode == 0
    turns.settled()


def test_removed_it_leaves_its_configuration_and_nothing_with_its_broker(
    turns: Turns, deploy: Deploy, machine: Machine, bundle: Path, broker: Mosquitto
) -> None:
    beside = "/etc/systemd/system/edge-fer.service.d"
    machine.run(f"umask 077; printf %s {SECRET} > /etc/edge-fer/mqtt-password")
    place = f"{beside}/mqtt-password.conf"
    machine.run(f"mkdir -p {beside}\ncat > {place} <<'E'\n{DROP_IN.read_text()}\nE")
    config = TOML.format(port=broker.port, place=PLACE)
    assert deploy("board", f"--bundle={bundle}", config=config).returncode == 0
    until(lambda: kept(broker.port) == set(TOPICS), "all that the broker keeps")
    done = deploy("remove", "board")
    assert (done.returncode, done.stderr) == (0, "")
    assert "keeps nothing of edge_fer_pi-hall any more" in done.stdout
    assert kept(broker.port) == set()
    left = machine.say("ls -A /opt; ls -A /etc/edge-fer; systemctl is-active edge-fer || true")
    assert left.split() == ["edge-fer.toml", "mqtt-password", "inactive"]

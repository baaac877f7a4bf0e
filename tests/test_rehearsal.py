"""`edge-fer run --check` beside the daemon that runs."""

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from running import fake_config, fake_parts

from edge_fer.daemon.lock import lock_path, only_daemon
from edge_fer.daemon.rehearsal import rehearse
from edge_fer.errors import ConfigError
from edge_fer.sinks.jsonl import JsonLines


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_parts(monkeypatch)


def test_what_the_daemon_holds_is_no_fault_of_the_file(tmp_path: Path) -> None:
    events = tmp_path / "events"
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as page,
        closing(JsonLines(str(events))),
    ):
        specs = (f"http:127.0.0.1:{page.getsockname()[1]}", f"jsonl:{events}")
        config = fake_config(tmp_path, camera="fake:", sinks=specs)
        with only_daemon(config):
            assert rehearse(config) == 0


def test_nothing_is_made(tmp_path: Path) -> None:
    config = fake_config(tmp_path, camera="fake:", sinks=(f"jsonl:{tmp_path / 'events'}",))
    assert rehearse(config) == 0
    assert not (tmp_path / "events").exists()
    assert not lock_path(config).exists()


def test_a_sink_that_could_not_be_opened_is_a_fault(tmp_path: Path) -> None:
    wrong: dict[str, Any] = {"sinks": ("http:127.0.0.1:0,token=/nowhere/token",)}
    with pytest.raises(ConfigError, match="/nowhere/token"):
        rehearse(fake_config(tmp_path, camera="fake:", **wrong))

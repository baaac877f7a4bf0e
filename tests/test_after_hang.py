"""A process that came back by execve(2) is watched by systemd from its first moment."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from running import fake_config, fake_parts, running
from test_service import Supervisor, supervised

from edge_fer.daemon import again, main
from edge_fer.daemon.model import Model, open_model
from edge_fer.daemon.pulse import LIMITS_S, Meanwhile
from edge_fer.daemon.service import Service


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    with supervised(tmp_path, monkeypatch) as one:
        yield one


def pinged(supervisor: Supervisor, times: int) -> None:
    for _ in range(times):
        supervisor.until("WATCHDOG=1")
        supervisor.heard.clear()


def test_while_the_fallback_is_loaded_systemd_is_pinged(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch)
    monkeypatch.setenv(again.HUNG, "1")

    def slow(*arguments: Any, **more: Any) -> Model:
        pinged(supervisor, 3)
        return open_model(*arguments, **more)

    monkeypatch.setattr(main, "open_model", slow)
    config = fake_config(tmp_path)
    with running(fake_config(tmp_path, fallback=config.bundle)) as one:
        one.until(lambda: one.of("update"))


def test_systemd_is_told_that_the_fallback_serves(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch)
    monkeypatch.setenv(again.HUNG, "1")
    with running(fake_config(tmp_path, fallback=fake_config(tmp_path).bundle)):
        supervisor.until("STATUS=camera ok, frames analysed by the fallback")


def test_at_an_ordinary_start_there_is_nothing_to_ping(supervisor: Supervisor) -> None:
    with closing(Meanwhile(Service(), needed=False)):
        assert supervisor.falls_silent(0.5)


def test_a_loading_that_hangs_is_not_covered_for_ever(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS_S, "load", 0.2)
    with closing(Meanwhile(Service())) as one:
        one._thread.join(60)
        assert not one._thread.is_alive()
        assert supervisor.falls_silent(0.5)


def test_the_new_program_has_all_of_the_time_until_the_next_ping(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch)
    config = fake_config(tmp_path, fallback=tmp_path / "bundle")
    order: list[str] = []
    monkeypatch.setattr(Service, "alive", lambda _: order.append("ping"))
    monkeypatch.setattr(os, "execve", lambda *_: order.append("exec"))
    again.end_or_fall_back(70, "infer", config, open_model(config), Service(), lambda _: None)
    assert order == ["ping", "exec"]

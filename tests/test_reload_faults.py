"""A reload that fails for a reason of the machine's leaves the old configuration in force."""

import threading
from pathlib import Path
from typing import Any

import pytest
from running import fake_config, fake_parts, running

from edge_fer.config import RunConfig


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_parts(monkeypatch)


@pytest.mark.parametrize("name", ["reload", "jsonl"])
def test_without_another_thread_the_daemon_goes_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start, refused = threading.Thread.start, []

    def limited(thread: threading.Thread) -> None:
        if thread.name == name:
            refused.append(name)
            raise RuntimeError("can't start new thread")
        start(thread)

    def reread() -> RunConfig:
        more: dict[str, Any] = {"sinks": ("memory:", f"jsonl:{tmp_path / 'events'}")}
        return fake_config(tmp_path, **more)

    with running(fake_config(tmp_path), reread) as one:
        one.until(lambda: one.of("update"))
        monkeypatch.setattr(threading.Thread, "start", limited)
        one.asked.reload.set()
        one.until(lambda: refused)
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 3)
        assert len(one.of("hello")) == 1
    said = capsys.readouterr().err
    assert "the old configuration stays: can't start new thread" in said

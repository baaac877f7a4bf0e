"""SIGHUP: another configuration between two frames, or the old one stays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import ScriptedCamera, fake_bundle
from running import Running, fake_config, fake_parts, running

from edge_fer.config import RunConfig
from edge_fer.errors import ConfigError


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_parts(monkeypatch)


class Settings:
    """What the file would say next; counts how often it was read."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.changes, self.read = folder, {}, 0
        self.wrong = ""

    def __call__(self) -> RunConfig:
        self.read += 1
        if self.wrong:
            raise ConfigError(self.wrong)
        return fake_config(self.folder, **self.changes)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path)


def reload(one: Running, settings: Settings, **changes: Any) -> None:
    """Ask, and wait until the answer shows."""
    settings.changes.update(changes)
    greetings = len(one.of("hello"))
    one.asked.reload.set()
    one.until(lambda: len(one.of("hello")) > greetings)


def update_after(one: Running, condition: Callable[[dict[str, Any]], bool]) -> None:
    one.until(lambda: condition(one.of("update")[-1]) if one.of("update") else False)


def test_a_threshold_changes_while_the_camera_stays_open(settings: Settings) -> None:
    with running(settings(), settings) as one:
        update_after(one, lambda u: u["faces"][0]["emotion"] == "happy")
        reload(one, settings, abstain_below=0.99)
        update_after(one, lambda u: u["faces"][0]["emotion"] == "uncertain")
        assert ScriptedCamera.openings == 1
        assert {e["camera_state"] for e in one.of("state")} == {"ok"}
        first, second = one.of("hello")
        assert first["config_sha256"] != second["config_sha256"]


def test_a_bad_file_keeps_the_old_one_and_says_so(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(settings(), settings) as one:
        settings.wrong = "edge-fer.toml:3 camra: unknown key"
        one.asked.reload.set()
        one.until(lambda: settings.read == 2 and not one.asked.reload.is_set())
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 30)
        assert len(one.of("hello")) == 1
    assert "the old configuration stays: edge-fer.toml:3 camra" in capsys.readouterr().err


def test_another_bundle_serves_from_the_next_frame_on(settings: Settings, tmp_path: Path) -> None:
    fake_bundle(tmp_path / "other", name="other")
    with running(settings(), settings) as one:
        reload(one, settings, bundle=tmp_path / "other")
        update_after(one, lambda u: u["model"]["id"] == "other")
        assert ScriptedCamera.openings == 1


def test_m2_a_bundle_that_is_refused_on_reload_leaves_the_old_one(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = fake_bundle(tmp_path / "bad", name="bad").path
    (bad / "m.tflite").write_bytes(b"y")
    with running(settings(), settings) as one:
        settings.changes["bundle"] = bad
        one.asked.reload.set()
        one.until(lambda: settings.read == 2)
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 30)
        assert one.of("update")[-1]["model"]["id"] == "fake"
    assert "altered or damaged" in capsys.readouterr().err


def test_another_camera_is_opened_and_the_old_one_closed(settings: Settings) -> None:
    with running(settings(), settings) as one:
        reload(one, settings, camera="fake:then=more,skip=1")
        one.until(lambda: ScriptedCamera.openings == 2)
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told)


def test_a_camera_that_was_misnamed_is_changed_while_it_is_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_fer.daemon.retries.SLOWEST_RETRY_S", 3600.0)
    settings.changes["camera"] = "fake:absent=1"
    with running(settings(), settings) as one:
        one.until(lambda: [e["camera_state"] for e in one.of("state")] == ["lost"])
        reload(one, settings, camera="fake:then=more")
        one.until(lambda: one.of("update"))


@pytest.mark.parametrize("changes", [{"device": "other"}, {"camera_id": "back"}])
def test_a_name_that_others_know_cannot_change(
    settings: Settings, changes: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with running(settings(), settings) as one:
        settings.changes |= changes
        one.asked.reload.set()
        one.until(lambda: settings.read == 2)
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 30)
        assert one.of("update")[-1]["device"] != "other"
    assert "cannot change while it runs" in capsys.readouterr().err


def test_a_new_sink_opens_and_one_left_out_is_closed(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with running(settings(), settings) as one:
        reload(one, settings, sinks=("memory:", f"jsonl:{path}"))
        one.until(lambda: path.exists() and path.stat().st_size)
        reload(one, settings, sinks=("memory:",))
        size = path.stat().st_size
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 30)
        assert path.stat().st_size == size


def test_a_sink_that_cannot_be_opened_brings_the_old_ones_back(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.jsonl"
    settings.changes["sinks"] = ("memory:", f"jsonl:{path}")
    with running(settings(), settings) as one:
        one.until(lambda: path.exists() and path.stat().st_size)
        settings.changes["sinks"] = ("memory:", "jsonl:/nowhere/events.jsonl")
        one.asked.reload.set()
        one.until(lambda: settings.read == 2)
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 30)
        size = path.stat().st_size
        one.until(lambda: path.stat().st_size > size)
    assert "/nowhere/events.jsonl: cannot be opened" in capsys.readouterr().err


def test_g2_a_thousand_reloads_lose_no_camera(settings: Settings) -> None:
    with running(settings(), settings) as one:
        for i in range(1000):  # those that come while one is prepared become one
            settings.changes["smoothing_s"] = (i % 10) / 10
            one.asked.reload.set()
            one.until(lambda: not one.asked.reload.is_set())
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told)
        assert ScriptedCamera.openings == 1
        assert {e["camera_state"] for e in one.of("state")} == {"ok"}
        seqs = [e["seq"] for e in list(one.events)]
        assert seqs == list(range(1, len(seqs) + 1))

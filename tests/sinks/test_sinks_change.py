"""Another configuration of the sinks: taken as a whole, or the old ones work on."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from brokers import ScriptedBroker, accept, until

from edge_fer.config import RunConfig
from edge_fer.errors import StorageError
from edge_fer.sinks import SINKS, Sinks
from edge_fer.sinks.jsonl import JsonLines
from edge_fer.sinks.setting import Setting

HELLO = {
    "type": "hello", "seq": 1, "device": "hall", "camera": "front", "version": "1", "uptime_s": 0,
    "model": {"id": "m", "sha256": "0"}, "engine": "tflite", "precision": "int8",
    "clock_synced": True, "purpose": "art",
}  # fmt: skip
STATE = {
    "type": "state", "seq": 2, "camera": "front", "camera_state": "ok", "degraded": [],
    "clock_synced": True,
}  # fmt: skip


class Told:
    """Keeps what each spec's newest sink was told."""

    of: ClassVar[dict[str, list[Mapping[str, Any]]]] = {}
    backlog = dropped = 0

    def __init__(self, argument: str, setting: Setting) -> None:
        self._events = Told.of[argument] = []

    def write(self, event: Mapping[str, Any]) -> None:
        self._events.append(event)

    def close(self) -> None:
        """Nothing is held."""


class Refusing(Told):
    """Cannot be opened."""

    def __init__(self, argument: str, setting: Setting) -> None:
        raise {"disk": StorageError("disk"), "thread": RuntimeError("can't start new thread")}[
            argument
        ]


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SINKS, "told", f"{__name__}:Told")
    monkeypatch.setitem(SINKS, "refusing", f"{__name__}:Refusing")


def config_of(*specs: str) -> RunConfig:
    return RunConfig(sinks=specs, purpose="art")


def opened(*specs: str) -> Sinks:
    config = config_of(*specs)
    sinks = Sinks(specs, Setting(config))
    sinks.write(HELLO)
    sinks.write(STATE)
    return sinks


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    def welcome(one: Any, level: int) -> None:
        accept(one, level)
        one.recv(1 << 16)

    with closing(ScriptedBroker(welcome)) as one:
        yield one


@pytest.mark.parametrize("why", ["disk", "thread"])
def test_a_sink_that_comes_back_is_told_who_speaks_and_how_the_camera_is(why: str) -> None:
    with closing(opened("told:old")) as sinks:
        with pytest.raises((StorageError, RuntimeError), match=why):
            sinks.change(config_of("told:new", f"refusing:{why}"))
        assert Told.of["old"] == [HELLO, STATE]
        assert sinks.open


def test_after_a_refused_change_the_broker_is_dialled_again(broker: ScriptedBroker) -> None:
    spec = f"mqtt:host=127.0.0.1,port={broker.port}"
    with closing(opened(spec)) as sinks:
        until(lambda: broker.levels)
        before = len(broker.levels)
        with pytest.raises(StorageError):
            sinks.change(config_of(f"{spec},name=Hall", "refusing:disk"))
        until(lambda: len(broker.levels) > before, "another connection")


def test_what_no_thread_could_serve_is_released_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    path = tmp_path / "events"
    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread") as caught:
            JsonLines(str(path))
    assert caught.value.__traceback__ is not None  # which keeps the refused sink alive
    JsonLines(str(path)).close()


def test_a_sink_that_does_not_come_back_is_no_good_end() -> None:
    with closing(opened("told:old")) as sinks:
        SINKS["told"] = SINKS["refusing"]
        with pytest.raises(StorageError):
            sinks.change(config_of("refusing:disk"))
        assert not sinks.open
        with pytest.raises(StorageError, match="told:old"):
            sinks.check_end()


def test_a_reload_does_not_switch_the_analysis_on(broker: ScriptedBroker) -> None:
    spec = f"mqtt:host=127.0.0.1,port={broker.port}"
    with closing(opened(spec)) as sinks:
        sink: Any = sinks._open[0].sink
        sink._hear("edge_fer/hall/front/enabled/set", b"OFF", False)
        assert not sinks.enabled
        sinks.change(config_of(f"{spec},name=Hall"))
        sinks.write(HELLO)
        renewed: Any = sinks._open[0].sink
        assert renewed is not sink
        assert not sinks.enabled
        renewed._hear("edge_fer/hall/front/enabled/set", b"ON", False)
        assert sinks.enabled


def test_the_new_sink_tells_the_broker_that_it_is_off(broker: ScriptedBroker) -> None:
    config = config_of(f"mqtt:host=127.0.0.1,port={broker.port}")
    with closing(Sinks(config.sinks, Setting(config, enabled=False))) as sinks:
        sinks.write(HELLO)
        sink: Any = sinks._open[0].sink
        sink._refresh(sink._report)
        assert b'"enabled":"OFF"' in sink._retained["edge_fer/hall/front/state"].payload

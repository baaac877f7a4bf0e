"""An engine that serves one holder alone is freed before it is opened again."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from fakes import FakeDetector, FakeEngine, fake_bundle, frame_of
from running import fake_config, fake_parts, loop_parts, running

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.daemon.model import load_model
from edge_fer.engines import ENGINES
from edge_fer.errors import BundleError, EngineError, StorageError
from edge_fer.sinks import SINKS
from edge_fer.telemetry.metrics import Metrics


class StickEngine(FakeEngine):
    """Refuses a second holder, as the stick does."""

    holder: ClassVar["StickEngine | None"] = None

    def __init__(self, bundle: Any, threads: int = 1, device: str = "CPU") -> None:
        if StickEngine.holder is not None:
            raise EngineError("the stick is in use")
        super().__init__(bundle, threads, device)
        self.name = bundle.manifest.name
        StickEngine.holder = self

    def infer(self, faces: Any) -> Any:
        if self is not StickEngine.holder:
            raise EngineError("the stick was closed")
        if self.name == "unfit":
            raise BundleError("a layer does not fit")
        return super().infer(faces)

    def close(self) -> None:
        if StickEngine.holder is self:
            StickEngine.holder = None


class Unopened:
    """A sink that cannot be opened."""

    def __init__(self, argument: str, setting: object) -> None:
        raise StorageError("no room")


@pytest.fixture(autouse=True)
def stick(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_parts(monkeypatch)
    monkeypatch.setitem(ENGINES, "tflite", f"{__name__}:StickEngine")
    monkeypatch.setitem(SINKS, "unopened", f"{__name__}:Unopened")
    monkeypatch.setattr(StickEngine, "holder", None)


def test_another_bundle_is_loaded_on_the_same_stick(tmp_path: Path) -> None:
    other = fake_bundle(tmp_path / "other", name="other").path
    with running(fake_config(tmp_path), lambda: fake_config(tmp_path, bundle=other)) as one:
        one.until(lambda: one.of("update"))
        one.asked.reload.set()
        one.until(lambda: one.of("update")[-1]["model"]["id"] == "other")
        one.until(lambda: one.of("update")[-1]["faces"])
        assert StickEngine.holder is not None
        assert StickEngine.holder.name == "other"


@pytest.mark.parametrize(
    ("name", "sinks", "said"),
    [("unfit", ("memory:",), "does not fit"), ("other", ("memory:", "unopened:"), "no room")],
)
def test_a_refused_reload_leaves_the_stick_to_the_old_bundle(
    name: str, sinks: tuple[str, ...], said: str, tmp_path: Path, capsys: Any
) -> None:
    other = fake_bundle(tmp_path / "other", name=name).path

    def reread() -> RunConfig:
        return fake_config(tmp_path, bundle=other, sinks=sinks)

    with running(fake_config(tmp_path), reread) as one:
        one.until(lambda: one.of("update"))
        errors: list[str] = []
        one.asked.reload.set()
        one.until(lambda: errors.append(capsys.readouterr().err) or said in "".join(errors))
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 3)
        assert one.of("update")[-1]["model"]["id"] == "fake"
        assert StickEngine.holder is not None
        assert StickEngine.holder.name == "fake"
    assert "the old configuration stays" in "".join(errors)
    assert "left out" not in capsys.readouterr().err


def test_an_engine_that_fails_is_closed_before_it_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Told(list[Any]):
        write = list.append

        def show(self, *_: object) -> None:
            """No sink shows pictures."""

    bundle, told = fake_bundle(tmp_path / "bundle"), Told()
    config = RunConfig(bundle=bundle.path)
    analysis, _ = loop_parts(config, FakeDetector(), told, Events(config, bundle), Metrics())
    analysis.adopt(config, load_model(config, bundle.path), FakeDetector())
    analysis.begin(live=True)
    monkeypatch.setattr(FakeEngine, "failing", True)
    for index in range(10):
        analysis.analyse(frame_of(index=index))
    monkeypatch.setattr(FakeEngine, "failing", False)
    analysis.analyse(frame_of(index=10))
    assert [event["type"] for event in told if event["type"] == "update"] == ["update"]


def test_a_bundle_that_is_refused_after_it_was_loaded_frees_the_stick(tmp_path: Path) -> None:
    bundle = fake_bundle(tmp_path / "bundle", name="unfit")
    with pytest.raises(BundleError, match="does not fit"):
        load_model(RunConfig(bundle=bundle.path), bundle.path)
    assert StickEngine.holder is None

"""Frames to events, and what becomes of frames that fail."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeDetector, FakeEngine, fake_bundle, frame_of
from running import fake_parts, loop_parts

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.errors import EngineError
from edge_fer.telemetry.metrics import Metrics


class Events_(list[dict[str, Any]]):
    """Takes events as the sinks do."""

    write = list.append

    def show(self, *_: object) -> None:
        """No sink shows pictures."""

    @property
    def updates(self) -> list[dict[str, Any]]:
        return [event for event in self if event["type"] == "update"]


class Case:
    def __init__(self, folder: Path) -> None:
        bundle = fake_bundle(folder / "bundle")
        config = RunConfig(bundle=bundle.path)
        self.told, self.metrics = Events_(), Metrics()
        events = Events(config, bundle)
        self.analysis, _ = loop_parts(config, FakeDetector(), self.told, events, self.metrics)
        self.engine: Any = self.analysis.model.engine
        self.analysis.begin(live=True)

    def dropped(self) -> list[int]:
        return [event["dropped_since_last"] for event in self.told.updates]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    fake_parts(monkeypatch)
    return Case(tmp_path)


def test_frames_that_had_no_event_are_counted(case: Case) -> None:
    for index in (0, 5, 10):
        case.analysis.analyse(frame_of(index=index))
    assert case.dropped() == [0, 4, 4]


def test_skipped_frames_are_not_called_dropped(case: Case) -> None:
    case.analysis.skip(frame_of(index=6))
    case.analysis.analyse(frame_of(index=7))
    assert case.dropped() == [0]


def test_another_opening_counts_from_0_and_goes_on_with_the_track_numbers(case: Case) -> None:
    case.analysis.analyse(frame_of(index=100))
    case.analysis.begin(live=True)
    case.analysis.analyse(frame_of(index=0))
    assert case.dropped() == [100, 0]
    assert len({event["faces"][0]["track"] for event in case.told.updates}) == 1


def test_forty_failed_frames_and_three_new_starts_of_the_engine_end_with_70(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeEngine, "failing", True)
    case.engine.batches.append(np.zeros((1, 8, 8, 3), np.uint8))
    for index in range(39):
        case.analysis.analyse(frame_of(index=index))
    with pytest.raises(EngineError, match="10 frames in a row") as caught:
        case.analysis.analyse(frame_of(index=39))
    assert caught.value.exit_code == 70
    assert case.told == []
    assert capsys.readouterr().err.count("left out") == 1
    assert case.metrics.inference_errors.value("exception") == 40


def test_a_frame_that_succeeds_starts_the_count_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.engine.batches.append(np.zeros((1, 8, 8, 3), np.uint8))
    for index in range(30):
        monkeypatch.setattr(FakeEngine, "failing", index % 10 != 9)
        case.analysis.analyse(frame_of(index=index))
    assert len(case.told.updates) == 3

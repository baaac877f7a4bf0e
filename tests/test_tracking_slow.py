"""A face stays the same one where a camera or a detector is slow."""

from pathlib import Path
from typing import Any

import pytest
from fakes import FakeDetector, face_at, fake_bundle, frame_of
from running import fake_parts, loop_parts

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.telemetry.metrics import Metrics
from edge_fer.tracking import FORGET_FRAMES, FORGET_S, Tracker

FACE = face_at(10, 10, 30)


class Told(list[dict[str, Any]]):
    """Takes events as the sinks do."""

    write = list.append

    def show(self, *_: object) -> None:
        """No sink shows pictures."""

    def kinds(self) -> list[str]:
        return [event["type"] for event in self if event["type"] != "update"]


@pytest.mark.parametrize("interval_s", [0.05, 1.5, 2.0, 5.0])
def test_at_any_pace_a_face_in_every_frame_is_one_face(
    interval_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch)
    bundle, told, now = fake_bundle(tmp_path / "bundle"), Told(), [0.0]
    config, detector, metrics = RunConfig(bundle=bundle.path), FakeDetector([FACE]), Metrics()
    events = Events(config, bundle)
    analysis, _ = loop_parts(config, detector, told, events, metrics, lambda: now[0])
    analysis.begin(live=True)
    for index in range(12):
        analysis.analyse(frame_of(index=index, captured=index * interval_s))
        for part in range(1, 11):  # the loop goes round between two frames
            now[0] = (index + part / 10) * interval_s
            analysis.turn()
    assert told.kinds() == ["new"]
    now[0] = 11 * interval_s + max(FORGET_S, FORGET_FRAMES * interval_s) + 0.01
    analysis.turn()
    assert told.kinds() == ["new", "end"]


def tracker_of(*captured: float) -> Tracker:
    tracker = Tracker()
    for moment in captured:
        tracker.frame(moment)
    return tracker


def test_one_pause_does_not_make_a_slow_camera() -> None:
    assert tracker_of(0.0, 0.1, 0.2, 60.0, 60.1).forget_s == FORGET_S


def test_the_time_between_two_openings_is_no_interval() -> None:
    tracker = tracker_of(0.0)
    tracker.pause()
    tracker.frame(60.0)
    tracker.frame(62.0)
    assert tracker.forget_s == FORGET_FRAMES * 2


def test_a_clock_that_steps_back_tells_no_interval() -> None:
    tracker = tracker_of(100.0, 1.0, 1.1)
    assert tracker.forget_s == FORGET_S

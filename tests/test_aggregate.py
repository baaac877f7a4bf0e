"""Windows: counts and means, and through them no face."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeDetector, FakeEngine, MemorySink, face_at, fake_bundle, frame_of, scores_of
from running import fake_config, fake_parts
from test_events import checked

from edge_fer.daemon.aggregate import LEAST_FACES, Windows
from edge_fer.daemon.analysis import Analysis
from edge_fer.daemon.events import Events
from edge_fer.daemon.model import Model
from edge_fer.daemon.pulse import Pulse
from edge_fer.emotions import Emotion
from edge_fer.sinks import Sinks
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.metrics import Metrics
from edge_fer.types import Prediction


def seen(*tracks: int, emotion: Emotion = Emotion.HAPPY) -> list[Prediction]:
    face = face_at(0, 0, 30)
    return [
        Prediction(type(face)(face.box, 0.9, track), scores_of(emotion), emotion)
        for track in tracks
    ]


def test_each_face_weighs_the_same_however_long_it_stayed() -> None:
    windows = Windows(10, False, 0.0)
    windows.take(seen(1, emotion=Emotion.SAD), 0.0)
    for i in range(99):
        windows.take(seen(2), i / 10)
    window = windows.close(10.0)
    assert (window.faces, window.suppressed) == (2, False)
    assert window.mean is not None
    assert window.mean[Emotion.SAD] == pytest.approx(window.mean[Emotion.HAPPY])
    assert window.mean.sum() == pytest.approx(1, abs=1e-5)


def test_an_empty_window_has_no_mean() -> None:
    window = Windows(10, False, 0.0).close(10.0)
    assert (window.faces, window.mean, window.suppressed) == (0, None, False)


@pytest.mark.parametrize("faces", [0, 1, LEAST_FACES - 1, LEAST_FACES])
def test_a_public_window_is_silent_under_five_faces(faces: int) -> None:
    windows = Windows(60, True, 0.0)
    for i in range(20):
        windows.take(seen(*range(faces)), i / 10)
    assert windows.close(60.0).suppressed == (faces < LEAST_FACES)


def test_in_public_a_flicker_is_no_face() -> None:
    windows = Windows(60, True, 0.0)
    for track in range(50):
        windows.take(seen(track), track)
        windows.take(seen(track), track + 0.9)
    assert windows.close(60.0).suppressed


def test_windows_do_not_overlap_and_counts_are_never_negative_whatever_the_clock_does() -> None:
    chance, now = random.Random(7), 0.0
    windows, told = Windows(10, True, now), 0.0
    for _ in range(5000):
        now += chance.choice([0.05, 0.05, 0.05, 3.0, 30.0, -1.0])
        windows.take(seen(*chance.sample(range(20), chance.randint(0, 8))), now)
        if windows.due(now):
            window = windows.close(now)
            told += window.seconds
            assert window.seconds >= 10
            assert window.faces >= 0
            assert window.suppressed == (window.faces < LEAST_FACES)
    assert told <= 5000 * 30


class Bench:
    """An Analysis with a clock of its own."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.now = 100.0
        config = fake_config(folder, **options)
        bundle = fake_bundle(folder / "bundle")
        self.metrics = Metrics()
        sinks = Sinks(config.sinks, Setting(config, self.metrics))
        events = Events(config, bundle)
        sinks.write(events.hello("int8", "fake", "fake"))
        self.analysis = Analysis(
            config, Model(bundle, FakeEngine()), FakeDetector(), sinks, events, self.metrics,
            Pulse(self.metrics), lambda: self.now,
        )  # fmt: skip

    def frames(self, number: int, fps: float = 10) -> None:
        for i in range(number):
            self.now += 1 / fps
            self.analysis.analyse(frame_of(index=i, captured=self.now))
            self.analysis.turn()

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in MemorySink.events]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    fake_parts(monkeypatch)
    return lambda **options: Bench(tmp_path, **options)


def test_with_windows_no_event_of_a_face_reaches_a_sink(bench: Callable[..., Bench]) -> None:
    one = bench(aggregate_s=10.0)
    one.frames(305)
    one.analysis.close()
    assert one.types == ["hello"] + ["aggregate"] * 3
    assert [event["seq"] for event in MemorySink.events] == [1, 2, 3, 4]
    for event in MemorySink.events[1:]:
        told = checked(event)
        assert (told["n_faces"], told["suppressed"]) == (1, False)
        assert not {"faces", "box", "track", "face"} & set(told)


def test_with_windows_no_metric_follows_a_face(bench: Callable[..., Bench]) -> None:
    one = bench(aggregate_s=10.0)
    one.frames(50)
    text = one.metrics.text()
    assert 'edge_fer_camera_frames_total{camera="camera"} 50' in text
    assert 'edge_fer_faces{camera="camera"} 0' in text
    assert 'stage="classify"' not in text
    predictions = [line for line in text.splitlines() if line.startswith("edge_fer_predictions")]
    assert all(line.endswith(" 0") for line in predictions)


def test_a_public_window_of_one_face_says_only_that_it_is_silent(
    bench: Callable[..., Bench],
) -> None:
    one = bench(aggregate_s=60.0, aggregate_public=True)
    one.frames(601)
    told = checked(MemorySink.events[-1])
    assert (told["n_faces"], told["distribution"], told["suppressed"]) == (None, None, True)


def test_a_window_ends_although_no_frame_comes(bench: Callable[..., Bench]) -> None:
    one = bench(aggregate_s=10.0)
    one.now += 11
    one.analysis.turn()
    told = checked(MemorySink.events[-1])
    assert (told["n_faces"], told["distribution"], told["window_s"]) == (0, None, 11.0)


def test_a_face_comes_and_goes_with_events_of_its_own(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.frames(20)
    one.now += 5
    one.analysis.turn()
    assert one.types == ["hello", "new"] + ["update"] * 20 + ["end"]
    new, end = checked(MemorySink.events[1]), checked(MemorySink.events[-1])
    assert new["face"]["track"] == end["track"]
    assert (end["seen_s"], end["frames"]) == (1.9, 20)
    assert end["probs"]["happy"] == pytest.approx(0.7)


def test_the_last_face_is_seen_off_at_the_end(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.frames(3)
    one.analysis.close()
    assert one.types[-1] == "end"


def test_a_reload_into_windows_tells_of_no_face_that_was_there_before(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    one = bench()
    one.frames(3)
    model = one.analysis.model
    one.analysis.adopt(fake_config(tmp_path, aggregate_s=10.0), model, FakeDetector())
    told = len(one.types)
    one.now += 5
    one.analysis.turn()
    one.analysis.close()
    assert len(one.types) == told
    assert np.isfinite(one.now)

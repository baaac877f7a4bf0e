"""People whom nobody analyses are as little to be seen in the preview as those who are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeDetector, face_at, fake_bundle, frame_of
from running import fake_parts, loop_parts

from edge_fer.cameras.synthetic import SyntheticCamera
from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.finding import Finder, Search
from edge_fer.sinks.http.preview import Preview, veiled
from edge_fer.telemetry.metrics import Metrics
from edge_fer.tracking import Tracker
from edge_fer.types import Box, Image

LARGE, SMALL = face_at(20, 20, 60), face_at(120, 30, 30)
ROOM = SyntheticCamera("faces=2").picture(5)


class Shown(list[Any]):
    """A sink that keeps the others of every picture."""

    def write(self, event: object) -> None:
        """Events are not looked at."""

    def show(self, image: Image, predictions: Any, others: Any) -> None:
        self.append((len(predictions), others))


def shown(folder: Path, monkeypatch: pytest.MonkeyPatch, frames: int, **settings: Any) -> Shown:
    """What a preview is told of frames with a large and a small face."""
    fake_parts(monkeypatch)
    bundle, told, metrics = fake_bundle(folder / "bundle"), Shown(), Metrics()
    config = RunConfig(bundle=bundle.path, **settings)
    detector = FakeDetector([LARGE, SMALL])
    analysis, _ = loop_parts(config, detector, told, Events(config, bundle), metrics)
    analysis.begin(live=True)
    for index in range(frames):
        analysis.analyse(frame_of(ROOM.copy(), index))
    return told


@pytest.mark.parametrize("settings", [{"most_faces": 1}, {"smallest_face": 40}])
def test_faces_that_are_left_alone_are_veiled_too(
    settings: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(tmp_path, monkeypatch, 1, **settings) == [(1, (SMALL.box,))]


def test_where_they_are_not_looked_for_in_every_frame_they_may_be_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = shown(tmp_path, monkeypatch, 4, most_faces=1, detect_every=3)
    assert told == [(1, None)] * 4


def test_nobody_looks_outside_a_region() -> None:
    search = Search(roi=(0.0, 0.0, 0.5, 1.0), detect_every=1)
    assert Finder(FakeDetector([LARGE]), search, Tracker()).find(frame_of(ROOM)).others is None


def test_who_is_analysed_is_nobody_else() -> None:
    search = Search(detect_every=1)
    assert Finder(FakeDetector([LARGE, SMALL]), search, Tracker()).find(frame_of(ROOM)).others == ()


def test_a_face_without_a_prediction_becomes_blocks_and_stays_so_for_a_second() -> None:
    now, box = [0.0], Box(200, 100, 420, 320)
    preview = Preview("faces", lambda: now[0])
    first = preview.picture(ROOM, [], watched=True, others=[box])
    now[0] = 0.5
    later = preview.picture(ROOM, [], watched=True)
    expected = veiled(ROOM, [box])
    assert first is not None
    assert later is not None
    assert np.array_equal(first, expected)
    assert np.array_equal(later, expected)


def test_where_people_may_be_anywhere_all_is_as_vague_as_without_a_detector() -> None:
    picture = Preview("faces").picture(ROOM, [], watched=True, others=None)
    assert picture is not None
    assert np.array_equal(picture, veiled(ROOM, [], failed=True))

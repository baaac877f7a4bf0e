"""Faces looked for now and then, followed between."""

import numpy as np
import pytest
from fakes import FakeDetector, face_at, frame_of

from edge_fer.cameras.synthetic import SyntheticCamera
from edge_fer.finding import MOST_EVERY, Finder, Pace, Search, pixels
from edge_fer.following import Follower
from edge_fer.tracking import Tracker, overlap
from edge_fer.types import Box, Face, Frame, Image

FPS = 15
SCENE = SyntheticCamera(f"faces=2,fps={FPS},frames=60,live=no,seed=3")


class Counting(FakeDetector):
    """Says how often it was asked, and what it was shown."""

    def __init__(self, *faces: Face) -> None:
        super().__init__(faces)
        self.shown: list[Image] = []

    def detect(self, image: Image) -> list[Face]:
        self.shown.append(image)
        return super().detect(image)


class Truth:
    """Knows where the drawn faces are; looks at frame `index`."""

    def __init__(self) -> None:
        self.index = self.asked = 0

    def detect(self, image: Image) -> list[Face]:
        self.asked += 1
        return [Face(one.box, 0.9) for one in SCENE.drawn(self.index)]


def finder(detector: object, **search: object) -> Finder:
    return Finder(detector, Search(**search), Tracker())  # type: ignore[arg-type]


def drawn(index: int) -> Frame:
    return Frame(SCENE.picture(index), index, index / FPS, 0.0)


@pytest.mark.parametrize(("every", "asked"), [(1, 30), (3, 10), (5, 6)])
def test_faces_are_looked_for_every_so_many_frames_and_followed_between(
    every: int, asked: int
) -> None:
    truth = Truth()
    parts = finder(truth, detect_every=every)
    tracks, overlaps = set(), []
    for truth.index in range(30):
        found = parts.find(drawn(truth.index))
        tracks |= {face.track for face in found.faces}
        boxes = [one.box for one in SCENE.drawn(truth.index)]
        overlaps += [max(overlap(face.box, box) for box in boxes) for face in found.faces]
        assert len(found.faces) == found.total == 2
    assert (truth.asked, len(tracks)) == (asked, 2)
    assert min(overlaps) > 0.8


def test_a_face_that_is_lost_is_looked_for_at_once() -> None:
    detector = Counting(face_at(100, 100, 120))
    parts = finder(detector, detect_every=8)
    chance = np.random.default_rng(0)
    for i in range(4):  # nothing in one noise is found again in the next
        noise = chance.integers(0, 256, (480, 640, 3), np.uint8)
        parts.find(Frame(noise, i, i / FPS, 0.0))
    assert len(detector.shown) == 4


def test_without_a_face_nothing_is_followed() -> None:
    detector = Counting()
    parts = finder(detector, detect_every=3)
    totals = [parts.find(frame_of(index=i, captured=i / FPS)).total for i in range(6)]
    assert (totals, len(detector.shown)) == ([0] * 6, 2)


def test_the_detector_sees_the_region_alone_and_boxes_are_of_the_frame() -> None:
    detector = Counting(face_at(10, 5, 40))
    found = finder(detector, roi=(0.25, 0.5, 0.5, 0.5)).find(
        frame_of(np.zeros((480, 640, 3), np.uint8))
    )
    assert detector.shown[0].shape == (240, 320, 3)
    assert found.faces[0].box == Box(170, 245, 210, 285)


@pytest.mark.parametrize("roi", [(0, 0, 1, 1), (0.999, 0.999, 0.001, 0.001), (0, 0, 1e-9, 1e-9)])
def test_a_region_has_at_least_one_pixel_and_stays_inside(
    roi: tuple[float, float, float, float],
) -> None:
    part = pixels(roi, np.zeros((48, 64, 3), np.uint8))
    assert 0 <= part.left < part.right <= 64
    assert 0 <= part.top < part.bottom <= 48


def test_faces_under_the_smallest_are_left_alone() -> None:
    faces = (face_at(0, 0, 20), face_at(20, 0, 19))
    found = finder(Counting(*faces), smallest_face=20).find(frame_of())
    assert ([face.box.width for face in found.faces], found.total) == ([20], 1)


def test_b4_of_200_faces_ten_are_kept_and_all_are_counted() -> None:
    faces = [face_at(i % 40, i % 20, 5 + i % 37) for i in range(200)]
    found = finder(Counting(*faces)).find(frame_of())
    assert (len(found.faces), found.total) == (10, 200)


def paced(cost_s: float, fps: float) -> int:
    pace = Pace(None, live=True)
    for i in range(5):
        pace.frame(i / fps)
        pace.detected(cost_s)
    return pace.every


def test_detection_takes_a_fifth_of_the_time_between_frames_at_most() -> None:
    assert paced(0.003, 15) == 1
    assert paced(0.030, 15) == 3
    assert paced(0.030, 30) == 5


def test_a_new_face_waits_for_half_a_second_at_most() -> None:
    assert paced(1.0, 5) == 2
    assert paced(1.0, 1) == 1
    assert paced(1.0, 100) == MOST_EVERY


def test_a_file_is_looked_at_frame_by_frame_unless_told_otherwise() -> None:
    assert Pace(None, live=False).every == 1
    assert Pace(4, live=False).every == 4


def test_another_size_of_picture_is_not_followed_into() -> None:
    follower = Follower()
    follower.look(np.zeros((480, 640, 3), np.uint8))
    assert follower.follow(np.zeros((240, 640, 3), np.uint8), [Box(0, 0, 90, 90)]) == [None]

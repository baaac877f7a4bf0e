from fakes import face_at

from edge_fer.tracking import Tracker, overlap
from edge_fer.types import Box


def test_a_box_overlaps_itself_wholly_and_a_neighbour_not_at_all() -> None:
    box = Box(0, 0, 10, 10)
    assert overlap(box, box) == 1
    assert overlap(box, Box(10, 0, 20, 10)) == 0


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == 50 / 150


def test_a_moving_face_keeps_its_number() -> None:
    tracker = Tracker()
    numbers = {tracker.update([face_at(3 * i, 0, 30)], i / 10)[0].track for i in range(20)}
    assert len(numbers) == 1


def test_faces_that_change_their_order_keep_their_numbers() -> None:
    tracker = Tracker()
    one, two = tracker.update([face_at(0, 0, 30), face_at(100, 0, 30)], 0.0)
    again = tracker.update([face_at(102, 0, 30), face_at(2, 0, 30)], 0.1)
    assert [face.track for face in again] == [two.track, one.track]


def test_two_faces_never_share_a_number() -> None:
    tracker = Tracker()
    tracker.update([face_at(0, 0, 30)], 0.0)
    both = tracker.update([face_at(1, 0, 30), face_at(2, 0, 30)], 0.1)
    assert both[0].track != both[1].track


def test_a_face_that_is_missed_for_a_moment_keeps_its_number() -> None:
    tracker = Tracker(forget_s=1.0)
    before = tracker.update([face_at(0, 0, 30)], 0.0)
    tracker.update([], 0.5)
    assert tracker.update([face_at(0, 0, 30)], 0.9) == before


def test_a_face_that_comes_back_late_gets_a_new_number() -> None:
    tracker = Tracker(forget_s=1.0)
    before = tracker.update([face_at(0, 0, 30)], 0.0)
    after = tracker.update([face_at(0, 0, 30)], 1.1)
    assert after[0].track not in (None, before[0].track)


def test_a_track_that_has_left_is_no_longer_alive() -> None:
    tracker = Tracker(forget_s=1.0)
    tracker.update([face_at(0, 0, 30)], 0.0)
    tracker.update([], 2.0)
    assert tracker.alive == set()


def test_numbers_are_never_used_again() -> None:
    tracker = Tracker(forget_s=0.5)
    numbers = [tracker.update([face_at(0, 0, 30)], float(i))[0].track for i in range(50)]
    assert len(set(numbers)) == 50


def test_two_trackers_start_at_unrelated_numbers() -> None:
    starts = {Tracker().update([face_at(0, 0, 30)], 0.0)[0].track for _ in range(5)}
    assert len(starts) == 5


def test_a_clock_that_steps_back_does_not_break_the_tracks() -> None:
    tracker = Tracker()
    before = tracker.update([face_at(0, 0, 30)], 100.0)
    assert tracker.update([face_at(0, 0, 30)], 1.0) == before

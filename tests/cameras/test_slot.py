"""The newest picture only, between two processes."""

import multiprocessing
import os
from collections.abc import Iterator

import pytest

from edge_fer.cameras import slot
from edge_fer.cameras.shot import Shot
from edge_fer.cameras.slot import Slot
from edge_fer.errors import CameraError

SPAWN = multiprocessing.get_context("fork")


def shot_of(value: int, size: int = 12) -> Shot:
    return Shot(bytes([value % 256]) * size, "BGR", 2, 2, 6, float(value))


@pytest.fixture
def one() -> Iterator[Slot]:
    made = Slot(slot.create())
    yield made
    made.close()


def test_before_the_first_picture_there_is_none(one: Slot) -> None:
    with one.newest() as taken:
        assert taken is None


def test_what_was_put_is_taken_with_all_its_facts(one: Slot) -> None:
    one.put(shot_of(3))
    with one.newest() as taken:
        assert taken is not None
        assert (taken.index, bytes(taken.shot.data)) == (0, b"\3" * 12)
        facts = taken.shot
        assert (facts.pixels, facts.width, facts.height, facts.stride) == ("BGR", 2, 2, 6)
        assert facts.captured == 3.0


def test_a_newer_picture_replaces_one_that_nobody_took(one: Slot) -> None:
    for value in range(7):
        one.put(shot_of(value, size=12 * (value + 1)))
    with one.newest() as taken:
        assert taken is not None
        assert (taken.index, bytes(taken.shot.data)) == (6, b"\6" * 84)


def test_missed_pictures_are_counted_by_reason_and_use_numbers(one: Slot) -> None:
    one.miss("decode_error")
    one.miss("repeat")
    one.miss("decode_error")
    one.put(shot_of(1))
    assert one.missed() == {"repeat": 1, "decode_error": 2}
    with one.newest() as taken:
        assert taken is not None
        assert taken.index == 3


def test_a_picture_beyond_its_place_is_refused(one: Slot) -> None:
    with pytest.raises(CameraError, match="too large"):
        one.put(Shot(bytes(slot.CAPACITY + 1), "BGR", 1, 1, 3, 0.0))


def _write(handle: int, count: int) -> None:
    """In another process: pictures of one value each, as fast as it can."""
    mine = Slot(handle)
    for value in range(count):
        mine.put(shot_of(value, size=50_000))


def test_no_picture_is_torn_while_another_process_writes() -> None:
    handle = slot.create()
    mine, writer = Slot(handle), SPAWN.Process(target=_write, args=(handle, 20_000))
    writer.start()
    seen = set()
    while writer.is_alive():
        with mine.newest() as taken:
            if taken is not None:
                assert set(bytes(taken.shot.data)) == {taken.index % 256}
                seen.add(taken.index)
    writer.join()
    mine.close()
    assert len(seen) > 10


def _die_writing(handle: int) -> None:
    mine = Slot(handle)
    mine.put(shot_of(1))
    assert mine._lock(0)
    os._exit(9)


def test_a_writer_that_dies_in_the_middle_leaves_nothing_locked() -> None:
    handle = slot.create()
    mine, writer = Slot(handle), SPAWN.Process(target=_die_writing, args=(handle,))
    writer.start()
    writer.join()
    with mine.newest() as taken:
        assert taken is not None
        assert bytes(taken.shot.data) == b"\1" * 12
    mine.close()

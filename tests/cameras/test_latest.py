"""The newest frame only."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edge_fer.cameras import latest
from edge_fer.cameras.latest import Latest
from edge_fer.errors import CameraError
from edge_fer.types import Frame

LONG_S = 10.0
"""Never waited for when all is well."""


class FakeCamera:
    """Gives frames, says so, and goes on when told."""

    def __init__(
        self, frames: int, live: bool = True, error: Exception | None = None, hangs: bool = False
    ) -> None:
        self.live = live
        self.given, self.go_on, self.closed = (threading.Event() for _ in range(3))
        self._frames, self._error, self._hangs = frames, error, hangs

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._frames):
            yield Frame(np.zeros((2, 2, 3), np.uint8), index, float(index), float(index))
        self.given.set()
        self.go_on.wait()
        if self._error:
            raise self._error

    def close(self) -> None:
        self.closed.set()
        if not self._hangs:
            self.go_on.set()


def test_a_live_camera_gives_its_newest_frame_and_counts_the_others() -> None:
    camera = FakeCamera(frames=5)
    newest = Latest(camera)
    camera.given.wait(LONG_S)
    frame = newest.next(LONG_S)
    assert frame is not None
    assert (frame.index, newest.dropped) == (4, 4)
    newest.close()


def test_nothing_new_is_none_after_the_timeout() -> None:
    newest = Latest(FakeCamera(frames=0))
    assert newest.next(timeout=0) is None
    assert not newest.ended
    newest.close()


def test_a_file_gives_every_frame() -> None:
    camera = FakeCamera(frames=20, live=False)
    camera.go_on.set()
    newest = Latest(camera)
    assert [frame.index for frame in newest] == list(range(20))
    assert (newest.dropped, newest.ended) == (0, True)


def test_the_last_frame_comes_before_the_end() -> None:
    camera = FakeCamera(frames=1)
    camera.go_on.set()
    newest = Latest(camera)
    assert [frame.index for frame in newest] == [0]
    assert newest.next(timeout=LONG_S) is None


def test_the_error_of_the_camera_reaches_the_consumer() -> None:
    camera = FakeCamera(frames=0, error=CameraError("unplugged"))
    newest = Latest(camera)
    camera.go_on.set()
    with pytest.raises(CameraError, match="unplugged"):
        newest.next(LONG_S)


def test_iterating_raises_the_error_after_the_last_frame() -> None:
    camera = FakeCamera(frames=1, error=CameraError("unplugged"))
    camera.go_on.set()
    frames = iter(Latest(camera))
    assert next(frames).index == 0
    with pytest.raises(CameraError, match="unplugged"):
        next(frames)


def test_closing_wakes_a_consumer_that_waits() -> None:
    newest = Latest(FakeCamera(frames=0))
    consumer = threading.Thread(target=lambda: newest.next(LONG_S))
    consumer.start()
    newest.close()
    consumer.join(LONG_S)
    assert not consumer.is_alive()
    assert newest.ended


def test_closing_closes_the_camera_and_may_be_done_twice() -> None:
    camera = FakeCamera(frames=0)
    newest = Latest(camera)
    newest.close()
    newest.close()
    assert camera.closed.is_set()


def test_closing_gives_up_on_a_camera_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "CLOSE_S", 0.05)
    camera = FakeCamera(frames=0, hangs=True)
    newest = Latest(camera)
    newest.close()
    assert newest.ended
    camera.go_on.set()

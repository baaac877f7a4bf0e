"""A Raspberry Pi's own camera, by a stand-in for picamera2 with the real one's calls."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_fer.cameras import open_camera, picamera
from edge_fer.cameras.isolated import IsolatedCamera
from edge_fer.errors import CameraError, ConfigError, MissingExtra
from edge_fer.types import Frame

STAND_IN = Path(__file__).parent / "raspberry"
HANG_GUARD_S = 30.0


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """For this process, which only asks whether it is there, and for the capture process."""
    monkeypatch.syspath_prepend(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))


@pytest.fixture
def opened() -> Iterator[object]:
    cameras: list[IsolatedCamera] = []

    def one(spec: str) -> IsolatedCamera:
        camera = open_camera(spec)
        assert isinstance(camera, IsolatedCamera)
        cameras.append(camera)
        return camera

    yield one
    for camera in cameras:
        camera.close()


def one(camera: IsolatedCamera) -> Frame:
    frame = camera.next(HANG_GUARD_S)
    assert frame is not None
    return frame


def test_bytes_are_bgr_as_they_come_and_rows_lose_their_padding(opened) -> None:
    frame = one(opened("picamera:0,size=326x240,fps=100"))
    assert frame.image.shape == (240, 326, 3)
    assert 200 <= frame.image[:, :, 0].min() == frame.image[:, :, 0].max()
    assert frame.image[:, :, 1:].max() == 0


def test_the_stamp_is_the_sensor_s(opened) -> None:
    frame = one(opened("picamera:"))
    assert 0 < time.monotonic() - frame.captured < 5


def test_every_request_is_released(opened) -> None:
    camera = opened("picamera:0,fps=100")
    # The stand-in refuses a request while another is lent.
    assert [one(camera).index for _ in range(10)][-1] >= 9


@pytest.mark.parametrize(
    ("how", "number", "told"),
    [
        ("count", 0, "picamera 0 is not there"),
        ("", 1, "picamera 1 is not there"),
        ("busy", 0, "cannot be opened: Camera __init__"),
        ("silent", 0, "gives no picture"),
    ],
)
def test_what_is_wrong_is_told(
    opened, how: str, number: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_FER_FAKE_PICAMERA", how)
    camera = opened(f"picamera:{number},fps=100")
    with pytest.raises(CameraError, match=told):
        while True:
            one(camera)


def test_c6_the_same_stamp_is_the_same_picture(
    opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_FER_FAKE_PICAMERA", "repeats")
    camera = opened("picamera:0,fps=100")
    one(camera)
    assert camera.next(0.5) is None
    assert camera.left_out()["repeat"] > 1


@pytest.mark.parametrize("argument", ["x", "²", "0,size=641x480", "0,fps=0", "0,zoom=2"])
def test_a_wrong_spec_is_refused_at_the_door(argument: str) -> None:
    with pytest.raises(ConfigError, match="picamera"):
        open_camera(f"picamera:{argument}")


def test_without_picamera2_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picamera, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="apt install python3-picamera2"):
        open_camera("picamera:")


def test_this_process_does_not_import_it() -> None:
    assert "picamera2" not in sys.modules

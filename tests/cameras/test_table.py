"""What every camera of the table promises."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from sources import SOURCES

from edge_fer.cameras import CAMERAS, open_camera
from edge_fer.errors import ConfigError
from edge_fer.plugins import load

HERE = Path(__file__).parent


def write_video(folder: Path, frames: int = 4) -> str:
    """A small video file whose frames get lighter."""
    path = str(folder / "clip.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), 40 * number, np.uint8))
    writer.release()
    return path


def write_pictures(folder: Path) -> str:
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 64, 3), 40 * number, np.uint8))
    return str(folder)


def first_device(_: Path) -> str:
    if not Path("/dev/video0").exists():
        pytest.skip("no camera is connected; make test-v4l2 brings one")
    return "/dev/video0"


def drawn(_: Path) -> str:
    if shutil.which("gst-launch-1.0") is None:
        pytest.skip("needs gst-launch-1.0")
    caps = "video/x-raw,width=64,height=48,framerate=30/1"
    return f"gstreamer:videotestsrc is-live=true ! {caps} ! appsink"


def stream(_: Path) -> str:
    pytest.skip("tests/cameras/test_stream.py has the servers")


SPECS: dict[str, Callable[[Path], str]] = {
    "v4l2": first_device,
    "picamera": lambda _: "picamera:0,size=64x64,fps=50",
    "gstreamer": drawn,
    "stream": stream,
    "video": lambda folder: f"video:{write_video(folder)}",
    "images": lambda folder: f"images:{write_pictures(folder)}",
    "synthetic": lambda _: "synthetic:frames=4,fps=1000,size=160x120",
    "scripted": lambda _: "scripted:then=more,fps=50",
}
FILES = {"video", "images"}


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CAMERAS, "scripted", SOURCES["scripted"])
    monkeypatch.syspath_prepend(HERE / "raspberry")
    monkeypatch.setenv("PYTHONPATH", f"{HERE / 'raspberry'}:{HERE.parent}")


def test_every_camera_of_the_table_is_tested_here() -> None:
    assert SPECS.keys() == CAMERAS.keys()


@pytest.mark.parametrize("scheme", SPECS)
def test_frames_are_bgr_bytes_with_rising_numbers_in_the_order_of_the_clock(
    scheme: str, tmp_path: Path
) -> None:
    camera = open_camera(SPECS[scheme](tmp_path))
    frames = [frame for frame, _ in zip(camera, range(4), strict=False)]
    camera.close()
    numbers = [frame.index for frame in frames]
    assert numbers == sorted(set(numbers))
    if scheme in FILES:
        assert numbers == [0, 1, 2, 3]
    assert all(f.image.dtype == np.uint8 and f.image.shape[2:] == (3,) for f in frames)
    assert [f.captured for f in frames] == sorted(f.captured for f in frames)


@pytest.mark.parametrize("scheme", SPECS)
def test_closing_ends_the_frames_and_may_be_done_twice(scheme: str, tmp_path: Path) -> None:
    camera = open_camera(SPECS[scheme](tmp_path))
    frames = iter(camera)
    next(frames)
    camera.close()
    camera.close()
    assert list(frames) == []


@pytest.mark.parametrize("scheme", [*sorted(FILES), "synthetic"])
def test_files_and_drawn_pictures_end_by_themselves(scheme: str, tmp_path: Path) -> None:
    assert len(list(open_camera(SPECS[scheme](tmp_path)))) == 4


@pytest.mark.parametrize("scheme", sorted(SPECS.keys() - FILES - {"synthetic"}))
def test_what_has_a_driver_is_read_by_a_process_that_can_be_killed(scheme: str) -> None:
    assert hasattr(load("camera", CAMERAS, scheme), "shots")


def test_an_unknown_scheme_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'webcam'.*gstreamer, images, picamera"):
        open_camera("webcam:1")

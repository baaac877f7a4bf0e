"""Why a device cannot be used, told in one line."""

import errno
import fcntl
import os
import struct
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_fer.cameras import open_camera, v4l2
from edge_fer.errors import CameraError, ConfigError


def refuse(number: int) -> object:
    """A stand-in for a system call that fails."""

    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def answer(capabilities: int) -> object:
    """A stand-in for the ioctl of a driver with these capabilities."""
    return lambda *_: struct.pack("88xI12x", capabilities)


def busy(_: int, request: int, __: bytes) -> bytes:
    """A stand-in for the ioctl of a camera that another program reads from."""
    if request == v4l2.VIDIOC_REQBUFS:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
    return struct.pack("88xI12x", v4l2.CAPTURE)


class FakeVideo:
    """An OpenCV capture that opens, gives some pictures, and then fails."""

    def __init__(self, pictures: int) -> None:
        self._left, self.settings = pictures, dict[int, float]()

    def isOpened(self) -> bool:
        return True

    def set(self, key: int, value: float) -> None:
        self.settings[key] = value

    def read(self) -> tuple[bool, np.ndarray | None]:
        self._left -= 1
        return (True, np.zeros((4, 4, 3), np.uint8)) if self._left >= 0 else (False, None)

    def release(self) -> None:
        pass


@pytest.mark.parametrize("spec", ["99", "/dev/video99", "v4l2:99"])
def test_a_number_and_a_path_name_the_same_device(spec: str) -> None:
    with pytest.raises(CameraError, match="camera /dev/video99 is not there") as caught:
        open_camera(spec)
    assert caught.value.exit_code == 75


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "join the group video"),
        (errno.EPERM, "DeviceAllow=char-video4linux"),
        (errno.ENXIO, "has no camera behind it"),
        (errno.EIO, "cannot be opened"),
    ],
)
def test_a_device_that_cannot_be_opened_says_what_to_do(
    number: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", refuse(number))
    with pytest.raises(CameraError, match=told):
        v4l2.probe("/dev/video0")


def test_an_ordinary_file_is_not_a_video_device(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(CameraError, match="is not a video device"):
        v4l2.probe(str(path))


def test_a_metadata_node_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.touch()
    monkeypatch.setattr(fcntl, "ioctl", answer(capabilities=0))
    with pytest.raises(CameraError, match="gives no pictures"):
        v4l2.probe(str(path))


def test_a_busy_device_names_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    monkeypatch.setattr(fcntl, "ioctl", busy)
    with (
        path.open("wb") as held,
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=held) as holder,
        pytest.raises(CameraError, match=rf"in use by \w+ \(pid {holder.pid}\)"),
    ):
        v4l2.probe(str(path))


def test_a_device_that_stops_giving_frames_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.touch()
    monkeypatch.setattr(fcntl, "ioctl", answer(v4l2.CAPTURE))
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: FakeVideo(pictures=2))
    frames = iter(v4l2.V4l2Camera(str(path)))
    assert [next(frames).index, next(frames).index] == [0, 1]
    with pytest.raises(CameraError, match="gives no frames"):
        next(frames)


def test_an_unplugged_device_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.touch()
    monkeypatch.setattr(fcntl, "ioctl", answer(v4l2.CAPTURE))
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: FakeVideo(pictures=0))
    frames = iter(v4l2.V4l2Camera(str(path)))
    path.unlink()
    with pytest.raises(CameraError, match="is not there"):
        next(frames)


def test_size_and_rate_are_asked_of_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, video = tmp_path / "file", FakeVideo(pictures=0)
    path.touch()
    monkeypatch.setattr(fcntl, "ioctl", answer(v4l2.CAPTURE))
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: video)
    v4l2.V4l2Camera(f"{path},size=320x240,fps=15")
    assert video.settings == {
        cv2.CAP_PROP_BUFFERSIZE: 1,
        cv2.CAP_PROP_FRAME_WIDTH: 320,
        cv2.CAP_PROP_FRAME_HEIGHT: 240,
        cv2.CAP_PROP_FPS: 15,
    }


def test_a_wrong_option_is_refused_before_the_device_is_touched() -> None:
    with pytest.raises(ConfigError, match="unknown option 'zoom'"):
        open_camera("v4l2:99,zoom=2")

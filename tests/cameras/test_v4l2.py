"""A V4L2 camera at the door; `make test-v4l2` reads from a real one."""

import errno
import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_fer.cameras import open_camera
from edge_fer.cameras.isolated import IsolatedCamera
from edge_fer.cameras.v4l2 import Mode, V4l2, kernel, probe, reasons
from edge_fer.cameras.v4l2.device import Device
from edge_fer.errors import CameraError, ConfigError


def refuse(number: int) -> Callable[..., None]:
    """A stand-in for a system call that fails."""

    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def driver(capabilities: int = kernel.CAPTURE, busy: bool = False, formats: str = "YUYV") -> Any:
    """A stand-in for the ioctl of a driver."""

    def ioctl(_: int, request: int, content: Any, __: bool) -> None:
        if request == kernel.QUERYCAP:
            content.capabilities, content.device_caps = kernel.DEVICE_CAPS, capabilities
        elif request == kernel.ENUM_FMT:
            offered = formats.split()
            if content.index >= len(offered):
                raise OSError(errno.EINVAL, "end of the list")
            content.pixelformat = kernel.code(offered[content.index])
        elif request == kernel.REQBUFS and busy:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    return ioctl


@pytest.mark.parametrize("spec", ["99", "/dev/video99", "v4l2:99", "v4l2:99,fps=5"])
def test_c1_an_absent_camera_is_told_by_its_first_frame(spec: str) -> None:
    camera = open_camera(spec)
    assert isinstance(camera, IsolatedCamera)
    with pytest.raises(CameraError, match="camera /dev/video99 is not there") as caught:
        next(iter(camera))
    camera.close()
    assert caught.value.exit_code == 75


@pytest.mark.parametrize("spec", ["²", "٣", "v4l2:²", "v4l2:٣", "0٣"])
def test_only_the_digits_0_to_9_are_a_number(spec: str) -> None:
    with pytest.raises(ConfigError, match="digits 0 to 9"):
        open_camera(spec)


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/dev"])
def test_what_is_no_video_device_is_refused_at_once(path: str) -> None:
    with pytest.raises(ConfigError, match=f"camera {path} is not a video device"):
        open_camera(path)


def test_an_ordinary_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is not a video device"):
        open_camera(f"v4l2:{tmp_path / 'file'}")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("zoom=2", "unknown option 'zoom'"),
        ("size=1x1", "16x16 to 8192x8192"),
        ("fps=-1", "fps is 0"),
        ("fps=nan", "fps is 0"),
        ("format=h264", "format is one of yuyv, mjpg"),
    ],
)
def test_a_wrong_option_is_refused_before_the_device_is_touched(option: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        open_camera(f"v4l2:99,{option}")


def test_options_are_read() -> None:
    camera = V4l2("99,size=320x240,fps=7.5,format=mjpg")
    assert camera._mode == Mode((320, 240), 7.5, "mjpg")
    assert camera.fps == 7.5


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "join the group video"),
        (errno.EPERM, "DeviceAllow=char-video4linux"),
        (errno.ENXIO, "has no camera behind it"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_c14_a_device_that_cannot_be_opened_says_what_to_do(
    number: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", refuse(number))
    with pytest.raises(CameraError, match=told):
        probe("/dev/video0")


def test_c14_a_file_that_is_closed_to_this_user_names_the_group(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.touch(mode=0)
    script = (
        "import os; os.setuid(65534); from edge_fer.cameras.v4l2.reasons import probe; "
        f"probe({str(path)!r})"
    )
    if os.getuid() != 0:
        pytest.skip("root is needed to become a user who may not")
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if not parent.stat().st_mode & 0o001:
            pytest.skip(f"{parent} is closed to others")
    child = [os.sys.executable, "-c", script]  # type: ignore[attr-defined]
    told = subprocess.run(child, capture_output=True, text=True, check=False).stderr
    assert "join the group video" in told


def test_a_metadata_node_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(fcntl, "ioctl", driver(capabilities=0))
    with pytest.raises(CameraError, match="gives no pictures"):
        probe(str(tmp_path / "file"))


def test_c13_a_busy_device_names_its_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    monkeypatch.setattr(fcntl, "ioctl", driver(busy=True))
    with (
        path.open("wb") as held,
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=held) as holder,
        pytest.raises(CameraError, match=rf"in use by \w+ \(pid {holder.pid}\)"),
    ):
        probe(str(path))


@pytest.mark.parametrize(
    ("offered", "wanted", "size", "chosen"),
    [
        ("MJPG YUYV", "", (640, 480), "YUYV"),
        ("MJPG YUYV", "", (1280, 720), "MJPG"),
        ("MJPG YUYV", "MJPG", (640, 480), "MJPG"),
        ("H264 NV12", "", (640, 480), "NV12"),
    ],
)
def test_a_format_is_chosen_from_what_is_offered(
    offered: str,
    wanted: str,
    size: tuple[int, int],
    chosen: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fcntl, "ioctl", driver(formats=offered))
    assert Device(-1)._choose(wanted, size) == chosen


@pytest.mark.parametrize(("offered", "wanted"), [("H264", ""), ("YUYV", "MJPG"), ("", "")])
def test_without_a_common_format_both_sides_are_named(
    offered: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "ioctl", driver(formats=offered))
    with pytest.raises(CameraError, match=f"offers {offered or 'no format'}; wanted is {wanted}"):
        Device(-1)._choose(wanted, (640, 480))


def test_requests_have_the_numbers_of_the_kernel() -> None:
    # From strace of v4l2-ctl on x86-64, whose structures are those of every 64-bit machine.
    assert kernel.QUERYCAP == 0x80685600
    assert kernel.S_FMT == 0xC0D05605
    assert kernel.REQBUFS == 0xC0145608
    assert kernel.DQBUF == 0xC0585611
    assert kernel.ENUM_FRAMEINTERVALS == 0xC034564B


def test_every_reason_names_something_to_do() -> None:
    for text in reasons.ADVICE.values():
        assert ";" in text

"""What `edge-fer cameras` shows."""

import errno
import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import RunCli

from edge_fer.cameras import listing
from edge_fer.cameras.v4l2 import kernel, names
from edge_fer.cameras.v4l2.offers import offers
from edge_fer.errors import CameraError

STAND_IN = Path(__file__).parent / "raspberry"
FORMATS = ("YUYV", "H264")
SIZES = ((640, 480), (1280, 720))
RATES = (30, 15)


def driver(_: int, request: int, content: Any, __: bool) -> None:
    """A stand-in for the ioctl of a camera with two formats, two sizes and two rates."""
    index = getattr(content, "index", 0)
    if request == kernel.QUERYCAP:
        content.capabilities = kernel.CAPTURE
    elif request == kernel.ENUM_FMT and index < 2:
        content.pixelformat = kernel.code(FORMATS[index])
    elif request == kernel.ENUM_FRAMESIZES and index < 2:
        content.type = kernel.DISCRETE
        content.values[0], content.values[1] = SIZES[index]
    elif request == kernel.ENUM_FRAMEINTERVALS and index < 2:
        content.type = kernel.DISCRETE
        content.values[0].numerator, content.values[0].denominator = 1, RATES[index]
    else:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "video0").touch()
    monkeypatch.setattr(fcntl, "ioctl", driver)
    monkeypatch.setattr(names, "nodes", lambda: [str(tmp_path / "video0")])
    return str(tmp_path / "video0")


def test_formats_sizes_and_rates_are_asked_of_the_driver(node: str) -> None:
    yuyv, h264 = offers(node)
    assert [(size.size, size.fps) for size in yuyv.sizes] == [
        ("640x480", (30.0, 15.0)),
        ("1280x720", (30.0, 15.0)),
    ]
    assert (yuyv.readable, h264.readable) == (True, False)


def test_the_list_is_what_the_camera_option_takes(node: str) -> None:
    (one,) = listing.cameras()
    text = "\n".join(one.lines())
    assert f"--camera {node}" in text
    assert "format=yuyv" in text
    assert "size=1280x720  fps 30, 15" in text
    assert "format=h264  (cannot be decoded here)" in text


def test_a_camera_that_cannot_be_asked_is_listed_with_the_reason(
    node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(node).unlink()
    (one,) = listing.cameras()
    assert "is not there" in "\n".join(one.lines())
    with pytest.raises(CameraError):
        offers(node)


def test_picamera2_is_asked_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "nodes", list)
    assert listing.cameras() == []
    monkeypatch.syspath_prepend(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
    (one,) = listing.cameras()
    assert (one.camera, one.name) == ("picamera:0", "imx708")


def test_a_picamera2_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "nodes", list)
    (tmp_path / "picamera2.py").write_text("import os; os.abort()")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (one,) = listing.cameras()
    assert one.problem is not None
    assert "fails" in one.problem


@pytest.mark.skipif(bool(names.nodes()), reason="this machine has a camera")
def test_the_command_says_clearly_when_there_is_none(cli: RunCli) -> None:
    told = cli("cameras")
    assert (told.returncode, told.stderr) == (0, "")
    assert "no camera found" in told.stdout
    assert json.loads(cli("cameras", "--json").stdout) == []

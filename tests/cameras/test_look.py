"""Options that every camera takes."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_fer.cameras import open_camera, without_credentials
from edge_fer.cameras.look import Look, split_look
from edge_fer.errors import ConfigError

CORNER = np.zeros((48, 64, 3), np.uint8)
CORNER[0, 0] = 255
"""Light in the left upper corner alone."""


@pytest.mark.parametrize(
    ("look", "row", "column"),
    [
        (Look(), 0, 0),
        (Look(rotate=90), 0, -1),
        (Look(rotate=180), -1, -1),
        (Look(rotate=270), -1, 0),
        (Look(mirror=True), 0, -1),
        (Look(rotate=90, mirror=True), 0, 0),
    ],
)
def test_a_picture_is_turned_clockwise_then_mirrored(look: Look, row: int, column: int) -> None:
    upright = look.upright(CORNER)
    assert upright.shape[:2] == ((64, 48) if look.rotate in (90, 270) else (48, 64))
    assert upright[row, column].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("argument", "rest", "look"),
    [
        ("0", "0", Look()),
        ("0,rotate=90", "0", Look(rotate=90)),
        ("0,size=640x480,rotate=180,mirror=yes", "0,size=640x480", Look(180, mirror=True)),
        ("mirror=yes", "", Look(mirror=True)),
        ("rtsp://h/a,b?c=d,e=f,frozen=no", "rtsp://h/a,b?c=d,e=f", Look(frozen=False)),
        ("a ! b,rotate=3 ! appsink,rotate=90", "a ! b,rotate=3 ! appsink", Look(90)),
        ("a ! b,rotate=3 ! appsink", "a ! b,rotate=3 ! appsink", Look()),
    ],
)
def test_options_of_the_look_stand_at_the_end(argument: str, rest: str, look: Look) -> None:
    assert split_look(argument, "test") == (rest, look)


@pytest.mark.parametrize("option", ["rotate=45", "rotate=", "mirror=maybe", "frozen=2"])
def test_a_wrong_look_is_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=option.partition("=")[0]):
        open_camera(f"v4l2:0,{option}")


def test_cameras_read_by_the_daemon_itself_are_turned_too(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), CORNER)
    (frame,) = open_camera(f"images:{tmp_path},rotate=90")
    assert frame.image.shape == (64, 48, 3)
    assert frame.image[0, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("stream:rtsp://user:pass@host/a", "stream:rtsp://***@host/a"),
        ("stream:rtsp://user@host/a", "stream:rtsp://***@host/a"),
        ("stream:http://host/a@b", "stream:http://host/a@b"),
        ("v4l2:0", "v4l2:0"),
    ],
)
def test_credentials_are_not_shown(spec: str, shown: str) -> None:
    assert without_credentials(spec) == shown

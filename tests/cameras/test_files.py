"""Video files and pictures as cameras."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_fer.cameras import open_camera
from edge_fer.errors import BadData, ConfigError, NotFound


@pytest.mark.parametrize("scheme", ["video", "images"])
def test_a_missing_file_is_named(scheme: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.file"):
        open_camera(f"{scheme}:{tmp_path / 'gone.file'}")


@pytest.mark.parametrize("scheme", ["video", "images"])
def test_a_spec_without_a_file_is_refused(scheme: str) -> None:
    with pytest.raises(ConfigError, match="such as"):
        open_camera(f"{scheme}:")


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_a_file_that_is_no_video_is_refused_when_opened(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(BadData, match=r"clip\.mp4"):
        open_camera(f"video:{path}")


def test_pictures_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, value in (("b.png", 200), ("a.png", 100)):
        cv2.imwrite(str(tmp_path / name), np.full((8, 8, 3), value, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    assert [f.image[0, 0, 0] for f in open_camera(f"images:{tmp_path}")] == [100, 200]


def test_a_pattern_chooses_pictures(tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "b1.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    assert len(list(open_camera(f"images:{tmp_path}/a*.png"))) == 2


def test_an_empty_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(BadData, match=r"empty\.png: is empty"):
        list(open_camera(f"images:{tmp_path}"))

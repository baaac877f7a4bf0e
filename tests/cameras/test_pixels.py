"""Bytes of a camera to BGR."""

import cv2
import numpy as np
import pytest

from edge_fer.cameras.pixels import READERS, to_bgr
from edge_fer.cameras.shot import Shot
from edge_fer.errors import BadData

WIDTH, HEIGHT = 16, 12
PICTURE = np.full((HEIGHT, WIDTH, 3), (200, 100, 50), np.uint8)
"""One blue: what halves its colours loses nothing."""


def encoded(pixels: str, picture: np.ndarray = PICTURE) -> tuple[bytes, int]:
    """A picture in another arrangement, and its bytes per row."""
    if pixels == "MJPG":
        return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes(), 0
    if pixels == "BGR":
        return picture.tobytes(), 3 * WIDTH
    if pixels == "RGB":
        return picture[:, :, ::-1].tobytes(), 3 * WIDTH
    if pixels == "GREY":
        return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).tobytes(), WIDTH
    planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
    if pixels == "I420":
        return planes.tobytes(), WIDTH
    y, rest = planes[:HEIGHT], planes[HEIGHT:].reshape(-1)
    u, v = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    if pixels == "NV12":
        return y.tobytes() + np.stack([u, v], 1).tobytes(), WIDTH
    packed = np.empty((HEIGHT, WIDTH, 2), np.uint8)
    at = 0 if pixels == "YUYV" else 1
    packed[:, :, at] = y
    packed[:, ::2, 1 - at], packed[:, 1::2, 1 - at] = u[0], v[0]
    return packed.tobytes(), 2 * WIDTH


def shot_of(pixels: str, data: bytes, stride: int, width: int = WIDTH) -> Shot:
    return Shot(data, pixels, width, HEIGHT, stride, 0.0)


@pytest.mark.parametrize("pixels", READERS)
def test_every_arrangement_gives_the_same_picture(pixels: str) -> None:
    image = to_bgr(shot_of(pixels, *encoded(pixels)))
    grey = cv2.cvtColor(PICTURE, cv2.COLOR_BGR2GRAY)
    wanted = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) if pixels == "GREY" else PICTURE
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(image.astype(int) - wanted).max() <= 5


@pytest.mark.parametrize("pixels", sorted(READERS.keys() - {"MJPG", "I420"}))
def test_rows_may_be_padded(pixels: str) -> None:
    data, stride = encoded(pixels)
    rows = np.frombuffer(data, np.uint8).reshape(-1, stride)
    padded = np.pad(rows, ((0, 0), (0, 10)), constant_values=77).tobytes()
    assert np.array_equal(
        to_bgr(shot_of(pixels, padded, stride + 10)), to_bgr(shot_of(pixels, data, stride))
    )


@pytest.mark.parametrize("pixels", READERS)
def test_too_few_bytes_are_refused(pixels: str) -> None:
    data, stride = encoded(pixels)
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(BadData):
            to_bgr(shot_of(pixels, data[:cut], stride))


@pytest.mark.parametrize("pixels", ["YUYV", "UYVY", "NV12", "I420"])
def test_an_odd_width_is_refused(pixels: str) -> None:
    with pytest.raises(BadData, match="odd"):
        to_bgr(shot_of(pixels, bytes(9999), 40, width=15))


def test_c9_a_torn_jpeg_is_no_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    data, _ = encoded("MJPG", noise)
    for torn in (data[:-2], data[: len(data) // 2], b"\xff\xd8\xff\xd9", b"\xff\xd8 junk \xff\xd9"):
        with pytest.raises(BadData):
            to_bgr(shot_of("MJPG", torn, 0))


def test_c9_bytes_behind_the_end_of_a_jpeg_do_no_harm() -> None:
    data, _ = encoded("MJPG")
    assert to_bgr(shot_of("MJPG", data + bytes(300), 0)).shape == PICTURE.shape


def test_no_bytes_however_wrong_raise_anything_else(rng: np.random.Generator) -> None:
    for pixels in READERS:
        for _ in range(50):
            data = rng.integers(0, 256, rng.integers(0, 2000), np.uint8).tobytes()
            width, height, stride = (int(n) for n in rng.integers(-3, 70, 3))
            try:
                image = to_bgr(Shot(data, pixels, width, height, stride, 0.0))
            except BadData:
                continue
            assert image.shape == (height, width, 3)

"""Bytes of a camera to BGR: what a source leaves to the one who wants the picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from edge_fer.cameras.shot import Shot
from edge_fer.errors import BadData
from edge_fer.images import decode
from edge_fer.types import Image

END_OF_JPEG = b"\xff\xd9"


def to_bgr(shot: Shot) -> Image:
    """The shot's picture as a new (H, W, 3) BGR array; raises BadData for damaged bytes."""
    if shot.pixels not in READERS:
        raise BadData(f"camera bytes are {shot.pixels}, read are {', '.join(READERS)}")
    if shot.width <= 0 or shot.height <= 0:
        raise BadData(f"a picture of {shot.width}x{shot.height}")
    return np.asarray(READERS[shot.pixels](shot), np.uint8)


def _jpeg(shot: Shot) -> Image:
    data = bytes(shot.data)
    # libjpeg fills what is missing with grey and calls it a picture.
    if END_OF_JPEG not in data:
        raise BadData("JPEG without its end")
    return decode(data, "camera picture")


def _packed(code: int | None, channels: int) -> Callable[[Shot], Image]:
    """Reader of arrangements with all of a pixel in one place."""

    def read(shot: Shot) -> Image:
        rows = _rows(shot, shot.height, shot.width * channels)
        shape = (shot.height, shot.width) + ((channels,) if channels > 1 else ())
        strides = (shot.stride, channels) + ((1,) if channels > 1 else ())
        pixels = np.ndarray(shape, np.uint8, rows, strides=strides)
        image = pixels.copy() if code is None else cv2.cvtColor(pixels, code)
        return np.asarray(image, np.uint8)

    return read


def _planar(code: int) -> Callable[[Shot], Image]:
    """Reader of arrangements with brightness first and colour at half the size below it."""

    def read(shot: Shot) -> Image:
        if shot.width % 2 or shot.height % 2:
            raise BadData(f"{shot.pixels} of odd size {shot.width}x{shot.height}")
        height = shot.height * 3 // 2
        rows = _rows(shot, height, shot.width)
        if shot.pixels == "I420" and shot.stride != shot.width:
            raise BadData("I420 with padded rows")
        picture = np.ndarray((height, shot.width), np.uint8, rows, 0, (shot.stride, 1))
        return np.asarray(cv2.cvtColor(picture, code), np.uint8)

    return read


def _rows(shot: Shot, count: int, used: int) -> memoryview:
    """The bytes, which must hold so many rows with `used` bytes each."""
    data = memoryview(shot.data)
    if shot.stride < used or len(data) < (count - 1) * shot.stride + used:
        size = f"{shot.width}x{shot.height} {shot.pixels}"
        raise BadData(f"{len(data)} bytes in rows of {shot.stride} are too few for {size}")
    return data


def _even(reader: Callable[[Shot], Image]) -> Callable[[Shot], Image]:
    """Refuse odd widths: two neighbours share a colour."""

    def read(shot: Shot) -> Image:
        if shot.width % 2:
            raise BadData(f"{shot.pixels} of odd width {shot.width}")
        return reader(shot)

    return read


READERS: dict[str, Callable[[Shot], Image]] = {
    "BGR": _packed(None, 3),
    "RGB": _packed(cv2.COLOR_RGB2BGR, 3),
    "GREY": _packed(cv2.COLOR_GRAY2BGR, 1),
    "YUYV": _even(_packed(cv2.COLOR_YUV2BGR_YUYV, 2)),
    "UYVY": _even(_packed(cv2.COLOR_YUV2BGR_UYVY, 2)),
    "NV12": _planar(cv2.COLOR_YUV2BGR_NV12),
    "I420": _planar(cv2.COLOR_YUV2BGR_I420),
    "MJPG": _jpeg,
}

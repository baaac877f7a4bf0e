"""The only crop and resize: training, calibration, benchmark and device all call it."""

from __future__ import annotations

import cv2
import numpy as np

from edge_fer.types import Box, Image


def crop_face(image: Image, box: Box, size: int) -> Image:
    """Cut a face out of a (H, W, 3) uint8 BGR image and give it as (size, size, 3).

    The box is squared around its centre, so that faces keep their proportions; what lies outside
    the image repeats its edge. Shrinking averages areas, enlarging interpolates linearly.
    """
    square = _squared(box)
    patch = _cut(image, square)
    method = cv2.INTER_AREA if square.width > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(patch, (size, size), interpolation=method), np.uint8)


def _squared(box: Box) -> Box:
    """The square of the box's longer side around its centre."""
    side = max(box.width, box.height, 1)
    left = (box.left + box.right - side) // 2
    top = (box.top + box.bottom - side) // 2
    return Box(left, top, left + side, top + side)


def _cut(image: Image, box: Box) -> Image:
    """The pixels of a box, a view where it lies inside the image."""
    height, width = image.shape[:2]
    inside = image[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)]
    if box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height:
        return inside
    if inside.size == 0:
        raise ValueError(f"box {box} lies outside the {width}x{height} image")
    pad = (
        max(-box.top, 0),
        max(box.bottom - height, 0),
        max(-box.left, 0),
        max(box.right - width, 0),
    )
    return np.asarray(cv2.copyMakeBorder(inside, *pad, cv2.BORDER_REPLICATE), np.uint8)

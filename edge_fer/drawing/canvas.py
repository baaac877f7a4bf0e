"""A brush for soft-edged shapes, placed in units of the face.

The square that a detector should find reaches from -1 to 1 both ways: x to the right, y down.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_fer.types import Box, Image

Floats = NDArray[np.float64]
"""(N, 2) points x, y in face units, unless told otherwise"""
Colour = tuple[float, float, float]
"""Blue, green, red; 0 to 255."""
FINE = 4
"""Bits behind the comma that OpenCV's polygon filler gets."""


class Canvas:
    """The part of a scene around one face."""

    def __init__(self, scene: Image, box: Box, roll: float = 0.0) -> None:
        self.image = scene.astype(np.float32)
        self._unit = box.width / 2
        self._centre = np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2]) - 0.5
        cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
        self._turn = np.array([[cos, sin], [-sin, cos]]) * self._unit

    def fill(
        self,
        shape: Floats,
        colour: Colour,
        opacity: float = 1.0,
        soft: float = 0.0,
        within: Floats | None = None,
    ) -> None:
        """Blend a polygon into the picture; `soft` is the blur of its edge, in face units."""
        outline = shape @ self._turn + self._centre
        edge = 3 * soft * self._unit + 2
        height, width = self.image.shape[:2]
        left, top = np.maximum(np.floor(outline.min(axis=0) - edge), 0).astype(int)
        right, bottom = np.minimum(np.ceil(outline.max(axis=0) + edge), (width, height)).astype(int)
        if left >= right or top >= bottom:
            return
        part = self.image[top:bottom, left:right]
        mask = _mask(outline - (left, top), part.shape[:2], soft * self._unit)
        if within is not None:
            limit = within @ self._turn + self._centre - (left, top)
            mask = np.minimum(mask, _mask(limit, part.shape[:2], 0))
        change = np.array(colour, np.float32) - part
        change *= (mask * np.float32(opacity / 255))[..., None]
        part += change

    def line(self, points: Floats, thickness: float, colour: Colour, opacity: float = 1.0) -> None:
        """Blend a line that is thickest in its middle; thickness in face units."""
        self.fill(ribbon(points, thickness), colour, opacity, soft=thickness * 0.3)


def _mask(outline: Floats, size: tuple[int, int], blur: float) -> NDArray[np.uint8]:
    """The inside of a polygon as 0 to 255 with a blurred edge; all in pixels."""
    coarse = max(int(blur / 2), 1)  # a strong blur of a small mask looks the same and costs less
    height, width = (-(-side // coarse) for side in size)
    mask = np.zeros((height, width), np.uint8)
    corners = outline * (width / size[1], height / size[0]) * 2**FINE
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 255, cv2.LINE_AA, FINE)
    if blur:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(blur / coarse, 0.1)), np.uint8)
    if coarse > 1:
        mask = np.asarray(cv2.resize(mask, size[::-1]), np.uint8)
    return mask


def curve(*points: tuple[float, float]) -> Floats:
    """A smooth open line near the given points, through the first and the last."""
    line = np.array(points, float)
    for _ in range(3):  # Chaikin, 1974
        near, far = line[:-1] * 0.75 + line[1:] * 0.25, line[:-1] * 0.25 + line[1:] * 0.75
        between = np.stack([near, far], axis=1).reshape(-1, 2)
        line = np.concatenate([line[:1], between, line[-1:]])
    return line


def ellipse(x: float, y: float, half_width: float, half_height: float) -> Floats:
    """An ellipse around a point."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([x + half_width * np.cos(angle), y + half_height * np.sin(angle)], axis=1)


def moved(points: Floats, right: float, down: float) -> Floats:
    """The same shape elsewhere."""
    return np.asarray(points + np.array([right, down]), np.float64)


def ribbon(points: Floats, thickness: float) -> Floats:
    """The outline of a line that tapers to both ends."""
    along = np.gradient(points, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    taper = np.sin(np.linspace(0.15, np.pi - 0.15, len(points)))[:, None] ** 0.6
    half = across * taper * (thickness / 2)
    return np.concatenate([points + half, (points - half)[::-1]])


def shade(colour: Colour, factor: float) -> Colour:
    """A darker (below 1) or lighter colour."""
    blue, green, red = (min(value * factor, 255.0) for value in colour)
    return blue, green, red

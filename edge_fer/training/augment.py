"""Random views of a face: what a camera and a loose detector would make of it."""

from __future__ import annotations

import cv2
import numpy as np

from edge_fer.training.recipe import Recipe
from edge_fer.types import Image


def augment(face: Image, recipe: Recipe, rng: np.random.Generator) -> Image:
    """A changed (size, size, 3) uint8 face: moved, relit, badly filmed, partly covered."""
    moved = _move(face, recipe, rng)
    return _erase(_degrade(_relight(moved, recipe, rng), recipe, rng), recipe, rng)


def _move(face: Image, recipe: Recipe, rng: np.random.Generator) -> Image:
    """One affine step: mirror, turn, scale and shift, interpolated once."""
    side = face.shape[0]
    centre = (side - 1) / 2
    angle = rng.uniform(-recipe.rotate, recipe.rotate)
    matrix = cv2.getRotationMatrix2D(
        (centre, centre), angle, 1 + rng.uniform(-recipe.scale, recipe.scale)
    )
    matrix[:, 2] += rng.uniform(-recipe.shift, recipe.shift, 2) * side
    if rng.random() < recipe.flip:
        matrix = matrix @ np.array([[-1, 0, side - 1], [0, 1, 0], [0, 0, 1]], float)
    moved = cv2.warpAffine(
        face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def _relight(face: Image, recipe: Recipe, rng: np.random.Generator) -> Image:
    """Contrast around the middle grey and brightness, by a table of 256 values."""
    contrast, brightness = 1 + rng.uniform(-recipe.light, recipe.light, 2)
    values = (np.arange(256) - 127.5) * contrast + 127.5 * brightness
    return np.asarray(cv2.LUT(face, values.clip(0, 255).astype(np.uint8)), np.uint8)


def _degrade(face: Image, recipe: Recipe, rng: np.random.Generator) -> Image:
    """One fault of a cheap camera, in a share `degrade` of the faces."""
    if rng.random() >= recipe.degrade:
        return face
    faults = (_blur, _jpeg, _darken, _coarsen)
    return faults[rng.integers(len(faults))](face, rng)


def _blur(face: Image, rng: np.random.Generator) -> Image:
    """Out of focus, by up to 2.5 % of the side."""
    blurred = cv2.GaussianBlur(face, (0, 0), face.shape[0] * rng.uniform(0.005, 0.025))
    return np.asarray(blurred, np.uint8)


def _jpeg(face: Image, rng: np.random.Generator) -> Image:
    """Packed as a webcam's MJPG stream does, quality 10 to 60."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(10, 61))]
    packed = cv2.imencode(".jpg", face, quality)[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _darken(face: Image, rng: np.random.Generator) -> Image:
    """Little light: a fifth to three fifths of it, and the sensor's noise."""
    noise = rng.normal(0, rng.uniform(2, 8), (*face.shape[:2], 1))
    return (face * rng.uniform(0.2, 0.6) + noise).clip(0, 255).astype(np.uint8)


def _coarsen(face: Image, rng: np.random.Generator) -> Image:
    """Far away: as few as 24 pixels across."""
    side = face.shape[0]
    few = int(rng.integers(24, max(25, side * 2 // 3)))
    small = cv2.resize(face, (few, few), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _erase(face: Image, recipe: Recipe, rng: np.random.Generator) -> Image:
    """Cover a rectangle of 2 to 20 % of the face with noise."""
    if rng.random() >= recipe.erase:
        return face
    side = face.shape[0]
    area, ratio = rng.uniform(0.02, 0.2) * side * side, np.exp(rng.uniform(-1, 1))
    height, width = (int(min(side - 1, (area * r) ** 0.5)) for r in (ratio, 1 / ratio))
    top, left = rng.integers(0, side - height), rng.integers(0, side - width)
    covered = face.copy()
    noise = rng.integers(0, 256, (height, width, 1), dtype=np.uint8)
    covered[top : top + height, left : left + width] = noise
    return covered

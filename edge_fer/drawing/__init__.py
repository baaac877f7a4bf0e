"""Faces drawn from numbers, with a chosen expression: pictures of nobody, for demo and test."""

from __future__ import annotations

import cv2
import numpy as np

from edge_fer.drawing.canvas import Canvas
from edge_fer.drawing.features import draw_head
from edge_fer.drawing.people import Person, look_of, person
from edge_fer.emotions import Emotion
from edge_fer.types import Box, Image

__all__ = ["Person", "backdrop", "draw_face", "draw_into", "person"]


def draw_face(
    who: Person, emotion: Emotion, intensity: float = 1.0, size: int = 96, roll: float = 0.0
) -> Image:
    """A (size, size, 3) BGR crop of a face, as FER2013 cuts them.

    The intensity goes from 0 (at rest) to 1; `roll` tilts the head, in degrees clockwise.
    """
    # The light stands for the person here: every person has an own room.
    image = backdrop(size, size, seed=int((who.light + 1) * 1e6))
    draw_into(image, Box(0, 0, size, size), who, emotion, intensity, roll)
    return image


def draw_into(
    scene: Image, box: Box, who: Person, emotion: Emotion, intensity: float = 1.0, roll: float = 0.0
) -> None:
    """Draw head and shoulders into a (H, W, 3) BGR scene, in place, with the face in the box."""
    left, right = max(box.left - 2 * box.width, 0), max(box.right + 2 * box.width, 0)
    top = max(box.top - box.height, 0)
    part = scene[top:, left:right]
    if not part.size:
        return
    moved = Box(box.left - left, box.top - top, box.right - left, box.bottom - top)
    canvas = Canvas(part, moved, roll)
    draw_head(canvas, who, look_of(emotion, intensity))
    part[:] = np.clip(canvas.image, 0, 255).astype(np.uint8)


def backdrop(height: int, width: int, seed: int) -> Image:
    """A (height, width, 3) BGR picture of an out-of-focus room."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(70, 190, (4, 5, 1)) + rng.uniform(-18, 18, (4, 5, 3))
    room = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    room += rng.normal(0, 2.0, (height, width, 1)).astype(np.float32)
    return np.asarray(np.clip(room, 0, 255), np.uint8)

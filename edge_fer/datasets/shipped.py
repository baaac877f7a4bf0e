"""The faces that ship with the project: distilled pictures, nobody's photographs.

`converters.distill` says how they were made. They carry no labels: they serve to calibrate and to
compare two models, never to measure accuracy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_fer.images import read_image
from edge_fer.preprocess import crop_face
from edge_fer.types import Box, FaceBatch

SHEET = Path(__file__).parent / "shipped_faces.png"
SIDE = 72
"""Pixels of a face on the sheet."""


def calibration_faces(size: int) -> FaceBatch:
    """(N, size, size, 3) uint8 BGR: every second face, for calibration."""
    return _all_faces(size)[::2]


def check_faces(size: int) -> FaceBatch:
    """(N, size, size, 3) uint8 BGR: the other half, for comparing models."""
    return _all_faces(size)[1::2]


def _all_faces(size: int) -> FaceBatch:
    sheet = read_image(SHEET)
    tiles = [
        Box(left, top, left + SIDE, top + SIDE)
        for top in range(0, sheet.shape[0], SIDE)
        for left in range(0, sheet.shape[1], SIDE)
    ]
    return np.stack([crop_face(sheet, tile, size) for tile in tiles])

"""Reading a picture from bytes or a file, with one clear error."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edge_fer.errors import BadData, NotFound
from edge_fer.types import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
"""File names that are taken for pictures when a folder is read."""


def decode(data: bytes, name: str) -> Image:
    """Decode an encoded picture to (H, W, 3) uint8 BGR; raises BadData naming it."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise BadData(f"{name}: not a readable picture ({_reason(error)})") from error
    if image is None:
        why = "is not a readable picture" if data else "is empty (0 bytes)"
        raise BadData(f"{name}: {why}; replace or remove it")
    return np.asarray(image, np.uint8)


def read_image(path: Path | str) -> Image:
    """Read a picture file as (H, W, 3) uint8 BGR; raises NotFound or BadData naming it."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no such picture") from error
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror})") from error
    return decode(data, str(path))


def _reason(error: cv2.error) -> str:
    return "too many pixels" if "pixels" in str(error) else "OpenCV refused it"

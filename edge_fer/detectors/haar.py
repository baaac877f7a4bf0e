"""OpenCV's Haar cascade (Viola and Jones, 2001): needs nothing but OpenCV, finds frontal faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2

from edge_fer.detectors.placing import Placing
from edge_fer.errors import ConfigError
from edge_fer.types import Face, Image

CASCADE = "haarcascade_frontalface_default.xml"
FOLDERS = (Path(cv2.__file__).parent / "data", Path("/usr/share/opencv4/haarcascades"))
"""Where the wheels keep the cascades, and where Debian's package opencv-data does."""
PLACING = Placing(scale=1.04, down=0.0)
"""Medians over 300 FER2013 validation faces, 200 to 320 px wide in a blurred 640x480 scene: 77 %
found, mean overlap with the crop 0.80."""
SMALLEST = 30
"""Side of the smallest face looked for, in pixels."""
SURE = 10.0
"""Weight of the last cascade stage that is called a confidence of 0.9."""


class Haar:
    """One cascade, on the grey picture."""

    def __init__(self) -> None:
        if not hasattr(cv2, "CascadeClassifier"):
            raise ConfigError(
                f"OpenCV {cv2.__version__} has no Haar cascades: "
                "pip install 'opencv-python-headless<5', or choose the detector blazeface"
            )
        path = next((p for p in (folder / CASCADE for folder in FOLDERS) if p.is_file()), None)
        if path is None:
            raise ConfigError(f"OpenCV's file {CASCADE} is missing: reinstall opencv-data")
        self._cascade = cv2.CascadeClassifier(str(path))

    def detect(self, image: Image) -> list[Face]:
        """Faces of a (H, W, 3) BGR image, best first; the confidence is only a ranking."""
        grey = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        boxes, _, weights = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=1.1,
            minNeighbors=5,
            minSize=(SMALLEST, SMALLEST),
            outputRejectLevels=True,
        )
        found = [_face(box, weight) for box, weight in zip(boxes, weights, strict=True)]
        return sorted(found, key=lambda face: -face.confidence)


def _face(box: Sequence[int], weight: float) -> Face:
    left, top, width, height = box
    confidence = 1 - 0.1 ** (max(float(weight), 0.0) / SURE)
    return Face(PLACING.box(left + width / 2, top + height / 2, width), confidence)

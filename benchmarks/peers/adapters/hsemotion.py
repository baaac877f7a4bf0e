"""PyPI `hsemotion-onnx`, EmotiEffLib's older name: EfficientNet-B0 of eight expressions."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

SIDE = 224
MODEL = "enet_b0_8_best_vgaf"


def load(files: Path | None, threads: int) -> Callable[[Any], dict[str, float]]:
    """Its model is put where it looks for it, in a home of this process alone."""
    import cv2
    import numpy as np

    home = Path(tempfile.mkdtemp(prefix="hsemotion-"))
    os.environ["HOME"] = str(home)
    if files:
        (home / ".hsemotion").mkdir()
        shutil.copy(files / f"{MODEL}.onnx", home / ".hsemotion")
    model: Any = import_module("hsemotion_onnx.facial_emotions").HSEmotionRecognizer(MODEL)

    def answer(face: Any) -> dict[str, float]:
        _, scores = model.predict_emotions(cv2.cvtColor(face, cv2.COLOR_BGR2RGB), logits=False)
        return {model.idx_to_class[i]: float(s) for i, s in enumerate(np.asarray(scores))}

    return answer

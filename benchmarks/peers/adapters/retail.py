"""OpenVINO's `emotions-recognition-retail-0003`: BGR 64x64, five expressions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

SIDE = 64
NAME = "emotions-recognition-retail-0003"
LABELS = ("neutral", "happy", "sad", "surprise", "anger")
"""As its description orders them."""


def load(files: Path | None, threads: int) -> Callable[[Any], dict[str, float]]:
    """On the CPU, by the runtime's own defaults for latency."""
    import openvino as ov

    assert files is not None
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    model = ov.Core().compile_model(files / f"{NAME}.xml", "CPU", settings)

    def answer(face: Any) -> dict[str, float]:
        scores = model([face.transpose(2, 0, 1)[None].astype("float32")])[0].ravel()
        return dict(zip(LABELS, map(float, scores), strict=True))

    return answer

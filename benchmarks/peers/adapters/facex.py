"""PyPI `facex`: its classifier, without its detector; `watch` is the package as a whole."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

SIDE = 200


def load(files: Path | None, threads: int) -> Callable[[Any], dict[str, float]]:
    """Grey faces, as its own detector hands them on."""
    import cv2

    model = _model()

    def answer(face: Any) -> dict[str, float]:
        scores = model.detect_emotion(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY))
        return {label: float(score) for label, score in scores.items()}

    return answer


def watch(files: Path | None, threads: int) -> Callable[[Any], list[tuple[Any, dict[str, float]]]]:
    """`predict`: a Haar cascade and the classifier."""
    model = _model()
    return lambda frame: [(one["bbox"], one["emot"]) for one in model.predict(frame)]


def _model() -> Any:
    core: Any = import_module("facex.core")
    assets = Path(str(core.__file__)).parent / "assets"
    return core.EmotionClassifier(str(assets / "model_optimized.tflite"))

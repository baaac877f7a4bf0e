"""PyPI `deepface`: its emotion model, the face given instead of searched, and both together."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

SIDE = 48
WEIGHTS = "facial_expression_model_weights.h5"


def load(files: Path | None, threads: int) -> Callable[[Any], dict[str, float]]:
    """The model alone."""
    package = _package(files)

    def answer(face: Any) -> dict[str, float]:
        found = package.analyze(face, actions=["emotion"], detector_backend="skip", silent=True)
        return {label: float(score) for label, score in found[0]["emotion"].items()}

    return answer


def watch(files: Path | None, threads: int) -> Callable[[Any], list[tuple[Any, dict[str, float]]]]:
    """`analyze` with its default detector, OpenCV's Haar cascades."""
    package = _package(files)
    no_face: Any = import_module("deepface.modules.exceptions").FaceNotDetected

    def seen(frame: Any) -> list[tuple[Any, dict[str, float]]]:
        try:
            found = package.analyze(frame, actions=["emotion"], silent=True)
        except no_face:
            return []
        return [([one["region"][side] for side in "xywh"], one["emotion"]) for one in found]

    return seen


def _package(files: Path | None) -> Any:
    """Its weights are put where it looks for them, in a home of this process alone."""
    home = Path(tempfile.mkdtemp(prefix="deepface-"))
    os.environ["DEEPFACE_HOME"] = str(home)
    if files:
        (home / ".deepface" / "weights").mkdir(parents=True)
        shutil.copy(files / WEIGHTS, home / ".deepface" / "weights" / WEIGHTS)
    return import_module("deepface.DeepFace")

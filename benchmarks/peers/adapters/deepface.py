"""PyPI `deepface`: its emotion model, the face given instead of searched."""

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
    """Its weights are put where it looks for them, in a home of this process alone."""
    home = Path(tempfile.mkdtemp(prefix="deepface-"))
    os.environ["DEEPFACE_HOME"] = str(home)
    if files:
        (home / ".deepface" / "weights").mkdir(parents=True)
        shutil.copy(files / WEIGHTS, home / ".deepface" / "weights" / WEIGHTS)
    package: Any = import_module("deepface").DeepFace

    def answer(face: Any) -> dict[str, float]:
        found = package.analyze(face, actions=["emotion"], detector_backend="skip", silent=True)
        return {label: float(score) for label, score in found[0]["emotion"].items()}

    return answer

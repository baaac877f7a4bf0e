"""Ways to find faces, by name."""

from __future__ import annotations

from edge_fer.plugins import load
from edge_fer.protocols import FaceDetector

DETECTORS = {
    "blazeface": "edge_fer.detectors.blazeface:BlazeFace",
    "haar": "edge_fer.detectors.haar:Haar",
    "whole": "edge_fer.detectors.whole:Whole",
}


def open_detector(spec: str | None = None) -> FaceDetector:
    """Open a detector by its name, or the default one; raises ConfigError or MissingExtra."""
    detector: FaceDetector = load("detector", DETECTORS, spec or default_detector())()
    return detector


def default_detector() -> str:
    """`blazeface` where its model is installed, else `haar`, which comes with OpenCV."""
    from edge_fer.detectors.blazeface import model_file

    return "blazeface" if model_file() else "haar"

"""The faces of the comparison: real ones where they are, else the shipped and their mirrors."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from edge_fer.datasets import open_dataset, samples_of
from edge_fer.datasets.faces import faces_of
from edge_fer.datasets.shipped import calibration_faces, check_faces
from edge_fer.types import FaceBatch

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("EDGE_FER_DATA", ROOT.parent / "shared" / "data"))


def faces(count: int, size: int) -> tuple[str, FaceBatch]:
    """Where they come from, and (count, size, size, 3) uint8 BGR."""
    path = DATA / "fer2013"
    if path.is_dir():
        samples = samples_of(open_dataset(f"fer2013:{path}"), "test")
        chosen = [samples[i] for i in np.linspace(0, len(samples) - 1, count).astype(int)]
        return "FER2013's test split, evenly spaced", faces_of(chosen, size)
    shipped = np.concatenate([check_faces(size), calibration_faces(size)])
    every = np.concatenate([shipped, shipped[:, :, ::-1]])
    return "the shipped faces and their mirrors", np.ascontiguousarray(every[:count])

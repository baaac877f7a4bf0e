"""A bundle proves itself on the board: it carries faces, and the answers it gave where it was made.

A driver that answers wrongly says nothing of it (OpenVINO's float16 path on ARM did so under
emulation); the only way to see it is to ask what is known. The faces are some of those that ship
with the project, nobody's photographs, stored byte for byte at the bundle's input size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edge_fer.bundle import Bundle
from edge_fer.emotions import LABELS
from edge_fer.errors import BundleError, Refused
from edge_fer.protocols import Engine
from edge_fer.types import FaceBatch, ScoreBatch

FACES, ANSWERS = "selftest.png", "selftest.json"
COUNT = 32
"""Faces that a bundle carries."""
TOLERANCE: Mapping[str, float] = {"fp32": 0.002, "fp16": 0.02, "int8": 0.02}
"""Largest change of one probability between machines, by the precision that was asked for.

INT8 is four times the largest change seen on these faces between kernels that should agree: LiteRT
with XNNPACK, with its plain and with its reference kernels 0.0051, OpenVINO held to SSE4.1, AVX2 or
AVX-512 without VNNI 0.0026, ONNX Runtime with and without its rewrites 0.0018. FP16 allows for a
processor that computes in half precision what the maker computed in float32.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the answers here compare with those that the bundle carries."""

    bundle: str
    device: str
    faces: int
    differing: tuple[str, ...]
    """One line for each face that differs; empty when all agree."""
    largest: float
    """Change of a probability."""
    tolerance: float
    as_parent: float
    """Share of faces on which the float parent gave the same label."""

    def line(self) -> str:
        """For a person."""
        return (
            f"selftest of {self.bundle} on {self.device}: "
            f"{self.faces - len(self.differing)} of {self.faces} faces answer as where it was "
            f"made, largest change of a probability {self.largest:.4f} "
            f"(at most {self.tolerance:g}), {self.as_parent:.0%} with the parent's label"
        )

    def demand(self) -> str:
        """The line, or Refused naming the faces that differ."""
        if self.differing:
            raise Refused(f"{self.line()}; {'; '.join(self.differing)}")
        return self.line()


def selftest_files(
    faces: FaceBatch, parent: ScoreBatch, own: ScoreBatch, precision: str, made: Mapping[str, str]
) -> dict[str, bytes]:
    """What a bundle carries: faces whose label is clear, and what parent and bundle say of them.

    `made` says where: runtime and device.
    """
    chosen = _clear(own, TOLERANCE[precision])
    record = {
        "tolerance": TOLERANCE[precision],
        "made": dict(made),
        "parent": _rounded(parent[chosen]),
        "own": _rounded(own[chosen]),
    }
    sheet = np.vstack(list(faces[chosen]))
    done, png = cv2.imencode(".png", sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise ValueError(f"{sheet.shape} cannot be written as PNG")
    return {FACES: png.tobytes(), ANSWERS: (json.dumps(record) + "\n").encode()}


def selftest(bundle: Bundle, engine: Engine) -> Outcome:
    """Run the carried faces on this engine; raises BundleError where there are none."""
    faces, record = _carried(bundle)
    own, parent = (np.asarray(record[key], np.float32) for key in ("own", "parent"))
    here = engine.infer(faces)
    change = np.abs(here - own).max(axis=1)
    tolerance = float(record["tolerance"])
    wrong = (here.argmax(1) != own.argmax(1)) | (change > tolerance)
    return Outcome(
        bundle.manifest.name,
        engine.device,
        len(faces),
        tuple(_difference(int(i), here[i], own[i]) for i in np.flatnonzero(wrong)),
        float(change.max()),
        tolerance,
        float((here.argmax(1) == parent.argmax(1)).mean()),
    )


def _clear(own: ScoreBatch, tolerance: float) -> np.ndarray:
    """Faces whose best label no tolerated change can turn, spread over the labels."""
    ordered = np.sort(own, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    clear = np.flatnonzero(margins > 2 * tolerance)
    if not len(clear):  # a model that is sure of nothing: its least unsure answers
        clear = np.argsort(-margins, kind="stable")[:COUNT]
    turn = {i: sum(own[j].argmax() == own[i].argmax() for j in clear if j < i) for i in clear}
    return np.array(sorted(sorted(clear, key=lambda i: (turn[i], i))[:COUNT]), int)


def _carried(bundle: Bundle) -> tuple[FaceBatch, dict[str, Any]]:
    if FACES not in bundle.files or ANSWERS not in bundle.files:
        raise BundleError(f"{bundle.path}: carries no faces to test itself; convert it anew")
    size = bundle.manifest.input_size
    sheet = cv2.imdecode(np.frombuffer(bundle.files[FACES], np.uint8), cv2.IMREAD_COLOR)
    try:
        record = json.loads(bundle.files[ANSWERS])
        faces = np.asarray(sheet, np.uint8).reshape(-1, size, size, 3)
        shapes = {np.asarray(record[key], np.float32).shape for key in ("own", "parent")}
        float(record["tolerance"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{bundle.path}: {ANSWERS} or {FACES} is broken ({error})") from error
    if shapes != {(len(faces), len(LABELS))} or not len(faces):
        raise BundleError(f"{bundle.path}: {ANSWERS} does not fit {FACES}; copy the bundle again")
    return faces, record


def _difference(number: int, here: np.ndarray, own: np.ndarray) -> str:
    said, wanted = (f"{LABELS[int(s.argmax())]} {s.max():.3f}" for s in (here, own))
    return f"face {number}: {said} here, {wanted} where it was made"


def _rounded(scores: ScoreBatch) -> list[list[float]]:
    return [[round(float(p), 6) for p in row] for row in scores]

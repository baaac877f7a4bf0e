"""A report as a real run would give it, made of drawn numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.report import BASELINE, BUNDLE, FaceFacts, Model, Report, Settings
from benchmarks.results import Measured, notes, results
from edge_fer.emotions import LABELS

PARENT = "c0ffee" * 10 + "beef"
PLAN = Settings(rounds=20, queries=25)
# Name, format, precision, p50 in ms, size in MB, memory in MB, share of faces that change label.
SUBJECTS = (
    ("full precision", "keras", "fp32", 41.0, 83.4, 912, 0.0),
    ("xception-fp32-tflite", "tflite", "fp32", 22.5, 83.2, 152, 0.0),
    ("xception-int8-tflite", "tflite", "int8", 9.1, 21.6, 71, 0.03),
    ("xception-int8-openvino", "openvino", "int8", 6.4, 21.9, 118, 0.02),
)


@pytest.fixture
def report() -> Report:
    """Four subjects, a fifth that failed, 3,589 labelled faces."""
    return drawn_report(3589)


@pytest.fixture
def draw() -> Callable[..., Report]:
    """Draws a report over so many faces."""
    return drawn_report


def drawn_report(faces: int, labelled: bool = True, broken: bool = True) -> Report:
    """A report over so many faces."""
    rng = np.random.default_rng(7)
    truth = rng.choice(len(LABELS), faces, p=(0.17, 0.25, 0.17, 0.12, 0.14, 0.02, 0.13))
    parent = np.where(rng.random(faces) < 0.7, truth, rng.integers(0, 7, faces))
    measured = [_measured(row, parent, rng) for row in SUBJECTS]
    if broken:
        measured.append(Measured("half-copied", BUNDLE, "half-copied/model.tflite: missing"))
    counts = {label: int((truth == i).sum()) for i, label in enumerate(LABELS)}
    facts = FaceFacts("drawn:", "test", faces, True, "ab" * 32, counts)
    if not labelled:
        facts = FaceFacts(None, None, faces, False, None)
    machine = {
        "board": None, "cpu": "Cortex-A76", "architecture": "aarch64", "cores": 4,
        "cores_allowed": 4, "virtual": False, "memory_bytes": 8_324_055_040, "gpu": None,
        "system": "Debian GNU/Linux 12", "kernel": "6.12.34", "governor": "ondemand",
        "python": "3.11.2", "numpy": "2.2.6", "opencv": "4.12.0",
        "before": {"load": 0.12, "temperature_c": 48.2, "clock_mhz": 2400.0},
        "after": {"load": 3.4, "temperature_c": 71.9, "clock_mhz": 2400.0},
    }  # fmt: skip
    return Report(
        made="2026-01-02T03:04:05+00:00",
        edge_fer="0.1.0",
        faces=facts,
        settings=PLAN,
        results=results(measured, truth if labelled else None),
        machine=machine,
        notes=notes(measured, facts, machine, 4),
    )


def _measured(
    row: tuple[str, str, str, float, float, float, float],
    parent: np.ndarray,
    rng: np.random.Generator,
) -> Measured:
    name, form, precision, p50, size, memory, changed = row
    answers = np.where(rng.random(len(parent)) < changed, rng.integers(0, 7, len(parent)), parent)
    is_parent = form == "keras"
    return Measured(
        name,
        BASELINE if is_parent else BUNDLE,
        model=Model(
            form, precision, precision, f"{form} 1.2.3", "CPU", 4, 96, int(size * 1e6),
            PARENT if is_parent else "ab" * 32, None if is_parent else PARENT,
        ),
        load_ms=p50 * 12,
        first_ms=p50 * 3,
        peak_rss_bytes=int(memory * 1e6),
        times=p50 * (1 + rng.gamma(1.4, 0.03, (PLAN.rounds, PLAN.queries))),
        scores=(np.eye(7)[answers] * 0.7 + 0.3 / 7).astype(np.float32),
    )  # fmt: skip

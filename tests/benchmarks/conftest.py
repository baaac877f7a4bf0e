"""A report as a real run would give it, made of drawn numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from peers import asked, one_tiny_peer, tiny

from benchmarks.latency import Turn
from benchmarks.notes import notes
from benchmarks.records import BASELINE, BUNDLE, FaceFacts, Model, Rate, Settings
from benchmarks.report import Report
from benchmarks.results import Measured, results
from edge_fer.datasets.corruptions import CORRUPTIONS
from edge_fer.emotions import LABELS

__all__ = ["asked", "one_tiny_peer", "tiny"]
PARENT = "c0ffee" * 10 + "beef"
PLAN = Settings(rounds=20, queries=60)
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
def crowd() -> Report:
    """The parent and nine bundles, seven of them close together."""
    rows = [
        (f"xception-{precision}-{name}", name, precision, ms, 83.2, 100, share)
        for name, times in (("tflite", (22.5, 21.0, 9.1)), ("openvino", (21.7, 22.2, 6.4)),
                            ("onnx", (20.1, 20.3, 17.9)))
        for precision, ms, share in zip(("fp32", "fp16", "int8"), times, (0.0, 0.0, 0.03),
                                        strict=True)
    ]  # fmt: skip
    return drawn_report(3589, broken=False, subjects=(SUBJECTS[0], *rows))


@pytest.fixture
def draw() -> Callable[..., Report]:
    """Draws a report over so many faces."""
    return drawn_report


def drawn_report(
    faces: int,
    labelled: bool = True,
    broken: bool = True,
    slower: float = 1.0,
    subjects: Sequence[tuple[str, str, str, float, float, int, float]] = SUBJECTS,
) -> Report:
    """A report over so many faces; all but the baseline are `slower`."""
    rng = np.random.default_rng(7)
    truth = rng.choice(len(LABELS), faces, p=(0.17, 0.25, 0.17, 0.12, 0.14, 0.02, 0.13))
    parent = np.where(rng.random(faces) < 0.7, truth, rng.integers(0, 7, faces))
    measured = [drawn_subject(row, parent, rng, slower, labelled) for row in subjects]
    if broken:
        measured.append(Measured("half-copied", BUNDLE, "half-copied/model.tflite: missing"))
    counts = {label: int((truth == i).sum()) for i, label in enumerate(LABELS)}
    facts = FaceFacts("drawn:", "test", faces, True, "ab" * 32, counts)
    if not labelled:
        facts = FaceFacts(None, None, faces, False, None)
    calm = {"active": [], "seen": [], "events": 3}
    machine = {
        "board": None, "cpu": "Cortex-A76", "architecture": "aarch64", "cores": 4,
        "cores_allowed": 4, "virtual": False, "memory_bytes": 8_324_055_040, "gpu": None,
        "system": "Debian GNU/Linux 12", "kernel": "6.12.34", "governor": "ondemand",
        "python": "3.11.2", "numpy": "2.2.6", "opencv": "4.12.0",
        "before": {"load": 0.12, "temperature_c": 48.2, "clock_mhz": 2400.0, "throttling": calm},
        "after": {"load": 3.4, "temperature_c": 71.9, "clock_mhz": 2400.0, "throttling": calm},
    }  # fmt: skip
    return Report(
        made="2026-01-02T03:04:05+00:00",
        edge_fer="0.1.0",
        faces=facts,
        settings=PLAN,
        results=results(measured, truth if labelled else None),
        machine=machine,
        notes=notes(measured, facts, machine, PLAN),
    )


def drawn_subject(
    row: tuple[str, str, str, float, float, float, float],
    parent: np.ndarray,
    rng: np.random.Generator,
    slower: float = 1.0,
    labelled: bool = True,
) -> Measured:
    """What a run would know of one subject."""
    name, form, precision, p50, size, memory, changed = row
    is_parent = form == "keras"
    p50 *= 1.0 if is_parent else slower

    def answered(share: float) -> np.ndarray:
        return np.where(rng.random(len(parent)) < share, rng.integers(0, 7, len(parent)), parent)

    model = Model(
        form, precision, precision, f"{form} 1.2.3", "CPU", 4, 96, int(size * 1e6),
        PARENT if is_parent else "ab" * 32, None if is_parent else PARENT,
        None if is_parent else float(precision == "int8"),
    )  # fmt: skip
    rates = [Rate(t, b, 1000 / p50 / (1 + (4 - t) / 6), p50 * b) for t, b in
             ((4, 1), (4, 2), (4, 4), (4, 8), (1, 1), (2, 1))]  # fmt: skip
    return Measured(
        name,
        BASELINE if is_parent else BUNDLE,
        model=model,
        load_ms=p50 * 12,
        first_ms=p50 * 3,
        memory=(int(memory * 1e6), int(memory * 0.9e6)),
        turns=[drawn_turn(p50, rng) for _ in range(PLAN.rounds)],
        sensor="RAPL package counters",
        rates=[] if is_parent else rates,
        scores=(np.eye(7)[answered(changed)] * 0.7 + 0.3 / 7).astype(np.float32),
        corrupted={f: answered(changed + 0.05 * i) for i, f in enumerate(CORRUPTIONS)}
        if labelled
        else {},
    )


def drawn_turn(p50: float, rng: np.random.Generator) -> Turn:
    """One round of one subject, metered at five watts."""
    ms = p50 * (1 + rng.gamma(1.4, 0.03, PLAN.queries))
    return Turn(ms, 5.0 * ms.sum() / 1000, PLAN.queries, ms.sum() / 1000)

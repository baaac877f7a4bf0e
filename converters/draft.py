"""A bundle before it is one: its files, the gate's verdict, and the proof that it carries."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.calibration import CalibrationSet, labelled_faces
from converters.embed import embedded
from converters.gate import Verdict, infer_all, judge
from converters.makers import Files
from converters.order import FEWEST, Order
from edge_fer.bundle import Bundle, Manifest, create_bundle
from edge_fer.datasets.shipped import check_faces
from edge_fer.engines import open_engine
from edge_fer.errors import ConfigError, Refused
from edge_fer.progress import Progress, silent
from edge_fer.protocols import Engine
from edge_fer.selftest import selftest_files
from edge_fer.types import FaceBatch, ScoreBatch

Draft = tuple[Manifest, Files, Verdict]


@dataclass(frozen=True, slots=True)
class GateFaces:
    """The faces of the gate and what the float parent says of them."""

    faces: FaceBatch
    truth: NDArray[np.integer] | None
    data: dict[str, Any]
    parent: ScoreBatch
    carried: FaceBatch
    """Shipped faces, of which each bundle takes some along."""
    carried_parent: ScoreBatch


def gate_faces(order: Order, size: int, parent: Callable[[FaceBatch], ScoreBatch]) -> GateFaces:
    """The validation split of the order's data, else shipped faces; `parent` answers them."""
    carried = check_faces(size)
    truth: NDArray[np.integer] | None = None
    if order.data is None:
        faces = carried
        data: dict[str, Any] = {"dataset": "shipped", "split": None, "faces": len(faces)}
    else:
        faces, truth, data = labelled_faces(order.data, "validation", size)
    scores = parent(np.concatenate([carried, faces]))
    return GateFaces(faces, truth, data, scores[len(carried) :], carried, scores[: len(carried)])


def judged(
    manifest: Manifest, files: Files, gate: GateFaces, max_drop: float, progress: Progress
) -> Draft:
    """The bundle's content with the gate's verdict in its manifest."""
    with opened(manifest, files) as engine:
        child = infer_all(engine, gate.faces, partial(progress, f"gate {manifest.name}"))
        own = infer_all(engine, gate.carried, partial(silent, "selftest"))
        executed = executed_record(engine)
    verdict = judge(child, gate.parent, gate.truth, gate.data, max_drop)
    proven = replace(manifest, gate={**verdict.to_json(), **executed, **manifest.gate})
    made = {"runtime": engine.runtime, "device": engine.device}
    proof = selftest_files(gate.carried, gate.carried_parent, own, manifest.precision, made)
    return proven, {**embedded(proven, files), **proof}, verdict


@contextmanager
def opened(manifest: Manifest, files: Files) -> Iterator[Engine]:
    """The engine of a bundle that is not yet one."""
    with tempfile.TemporaryDirectory() as scratch:
        draft = create_bundle(Path(scratch) / manifest.name, manifest, files)
        yield open_engine(draft, device="CPU")  # what is made here may run elsewhere


def executed_record(engine: Engine) -> dict[str, Any]:
    """What the runtime made of the model, for the manifest."""
    record = {"precision_executed": engine.precision, "runtime": engine.runtime}
    work: dict[str, int] = getattr(engine, "work", {})  # not every runtime tells
    total = sum(work.values())
    shares = {kind: round(count / total, 6) for kind, count in work.items()} if total else {}
    return {**record, "multiply_adds": total or "not measured", "multiply_adds_share": shares}


def written(drafts: Sequence[Draft], out: Path) -> list[tuple[Bundle, Verdict]]:
    """The drafts as bundles, if all passed; raises Refused naming those that did not, and why."""
    refused = [f"{m.name}: {', '.join(v.reasons)}" for m, _, v in drafts if not v.passed]
    if refused:
        said = "; ".join(refused)
        raise Refused(f"{said}. Nothing was written; calibrate on other faces (--data, --seed)")
    return [(create_bundle(out / m.name, m, files), verdict) for m, files, verdict in drafts]


def without_loud(calibration: CalibrationSet, loud: Sequence[int]) -> CalibrationSet:
    """The set less its outliers; raises ConfigError when too few faces are left."""
    left = calibration.without(loud)
    if len(left.faces) < FEWEST:
        raise ConfigError(
            f"calibration: {len(loud)} of {len(calibration.faces)} faces are outliers, "
            f"{len(left.faces)} are left and {FEWEST} are needed; give other faces (--data, --seed)"
        )
    return left


def tools() -> dict[str, str]:
    """Packages that had a hand in it, and their versions."""
    packages = ("edge-fer", "keras", "tensorflow", "openvino", "ai-edge-quantizer", "onnx")
    return {package: metadata.version(package) for package in packages}

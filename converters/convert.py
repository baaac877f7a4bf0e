"""One checkpoint to one bundle a format: fold, calibrate, quantize, judge, write."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import kept, ncs
from converters.bias import corrected
from converters.calibration import (
    CalibrationSet,
    drawn_set,
    labelled_faces,
    shipped_set,
)
from converters.embed import embedded
from converters.fold import fold, folded_model, with_betas
from converters.gate import Verdict, infer_all, judge
from converters.makers import FORMATS, Files, Maker, Source
from converters.order import FEWEST, Order
from converters.probe import flow
from edge_fer.bundle import Bundle, Manifest, create_bundle
from edge_fer.datasets.shipped import check_faces
from edge_fer.engines import open_engine
from edge_fer.errors import ConfigError, Refused
from edge_fer.progress import Progress
from edge_fer.protocols import Engine
from edge_fer.selftest import selftest_files
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.predict import predict
from edge_fer.types import FaceBatch, ScoreBatch


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


Draft = tuple[Manifest, Files, Verdict]


def convert(order: Order, progress: Progress) -> list[tuple[Bundle, Verdict]]:
    """Make and judge all formats; only when all pass is any bundle written.

    Raises Refused naming the format and the figures when the gate says no.
    """
    if any(name == "ncs" for name, _ in order.parts):
        ncs.check_ready()
    checkpoint = Checkpoint.load(order.checkpoint)
    calibration = _calibration(order, checkpoint.recipe.architecture.size)
    gate = _gate_faces(order, checkpoint, progress)
    source = _source(checkpoint, calibration, progress)
    drafts = []
    for name, precision in order.parts:
        make = FORMATS[name](source, precision, progress)
        manifest = _manifest(checkpoint, source, name, precision)
        draft = _judged(order, manifest, gate, make, (), progress)
        if not draft[2].passed and precision == "int8" and name in kept.FORMATS:
            mended = _mended(order, checkpoint, source, gate, manifest, make, progress)
            draft = mended or draft
        drafts.append(draft)
    refused = [(m, v) for m, _, v in drafts if not v.passed]
    if refused:
        said = "; ".join(f"{m.name}: {', '.join(v.reasons)}" for m, v in refused)
        raise Refused(f"{said}. Nothing was written; calibrate on other faces (--data, --seed)")
    return [
        (create_bundle(order.out / manifest.name, manifest, files), verdict)
        for manifest, files, verdict in drafts
    ]


def _unseen(done: int, total: int) -> None:
    """A progress of a moment."""


def _mended(
    order: Order,
    checkpoint: Checkpoint,
    source: Source,
    gate: GateFaces,
    manifest: Manifest,
    make: Maker,
    progress: Progress,
) -> Draft | None:
    """The draft with the fewest layers in float32 that passes; None where none does."""
    assert source.calibration is not None
    faces = source.calibration.faces[: kept.PROBES]

    def scores(layers: Sequence[str]) -> ScoreBatch:
        with _opened(manifest, make(layers)) as engine:
            return engine.infer(faces)

    def judged(layers: Sequence[str]) -> Draft:
        return _judged(order, manifest, gate, make, layers, progress)

    parent = predict(checkpoint, faces, _unseen)
    told = partial(progress, f"layers {manifest.format}")
    harms = kept.ranked(kept.layer_names(source.model), scores, parent, told)
    found = kept.fewest(harms, lambda layers: judged(layers)[2].passed)
    if found is None:
        return None
    chosen = replace(manifest, gate=kept.record(found))
    return _judged(order, chosen, gate, make, [harm.layer for harm in found], progress)


def _calibration(order: Order, size: int) -> CalibrationSet | None:
    if not order.quantizes:
        return None
    if order.data is None:
        return shipped_set(size)
    return drawn_set(order.data, "train", order.samples, order.seed, size)


def _source(
    checkpoint: Checkpoint, calibration: CalibrationSet | None, progress: Progress
) -> Source:
    progress("float model", 0, 1)
    model, weights = folded_model(checkpoint), fold(checkpoint)
    progress("float model", 1, 1)
    if calibration is None:
        return Source(model, None, model, weights)
    architecture = checkpoint.recipe.architecture
    seen = flow(weights, architecture, calibration.faces, partial(progress, "calibration"))
    loud = seen.loud_faces()
    left = without_loud(calibration, loud)
    seen = seen.kept(np.setdiff1d(np.arange(len(seen)), loud))
    ready = with_betas(folded_model(checkpoint), corrected(weights, seen))
    return Source(model, left, ready, weights)


def without_loud(calibration: CalibrationSet, loud: Sequence[int]) -> CalibrationSet:
    """The set less its outliers; raises ConfigError when too few faces are left."""
    left = calibration.without(loud)
    if len(left.faces) < FEWEST:
        raise ConfigError(
            f"calibration: {len(loud)} of {len(calibration.faces)} faces are outliers, "
            f"{len(left.faces)} are left and {FEWEST} are needed; give other faces (--data, --seed)"
        )
    return left


def _gate_faces(order: Order, checkpoint: Checkpoint, progress: Progress) -> GateFaces:
    size = checkpoint.recipe.architecture.size
    truth: NDArray[np.integer] | None = None
    if order.data is None:
        faces = check_faces(size)
        data: dict[str, Any] = {"dataset": "shipped", "split": None, "faces": len(faces)}
    else:
        faces, truth, data = labelled_faces(order.data, "validation", size)
    carried = check_faces(size)
    scores = predict(
        checkpoint, np.concatenate([carried, faces]), partial(progress, "float parent")
    )
    split = len(carried)
    return GateFaces(faces, truth, data, scores[split:], carried, scores[:split])


def _judged(
    order: Order,
    manifest: Manifest,
    gate: GateFaces,
    make: Maker,
    layers: Sequence[str],
    progress: Progress,
) -> Draft:
    """The bundle's content with the gate's verdict in its manifest."""
    step = f"{manifest.format} {manifest.precision}"
    progress(step, 0, 1)
    files = make(layers)
    progress(step, 1, 1)
    with _opened(manifest, files) as engine:
        child = infer_all(engine, gate.faces, partial(progress, f"gate {manifest.name}"))
        own = infer_all(engine, gate.carried, _unseen)
        executed = executed_record(engine)
    verdict = judge(child, gate.parent, gate.truth, gate.data, order.max_drop)
    judged = replace(manifest, gate={**verdict.to_json(), **executed, **manifest.gate})
    made = {"runtime": engine.runtime, "device": engine.device}
    proof = selftest_files(gate.carried, gate.carried_parent, own, manifest.precision, made)
    return judged, {**embedded(judged, files), **proof}, verdict


@contextmanager
def _opened(manifest: Manifest, files: Files) -> Iterator[Engine]:
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


def _manifest(checkpoint: Checkpoint, source: Source, format_: str, precision: str) -> Manifest:
    ranges = source.calibration if precision == "int8" else None
    return Manifest(
        name=f"xception-{precision}-{format_}",
        format=format_,
        precision=precision,
        input_size=checkpoint.recipe.architecture.size,
        parent=checkpoint.sha256,
        files={},
        temperature=checkpoint.temperature,
        abstain_below=checkpoint.abstain_below,
        calibration=ranges.record if ranges else {},
        made={**tools(), "trained_on": checkpoint.data, "architecture": _architecture(checkpoint)},
    )


def _architecture(checkpoint: Checkpoint) -> dict[str, Any]:
    return dict(checkpoint.recipe.to_json()["architecture"])


def tools() -> dict[str, str]:
    """Packages that had a hand in it, and their versions."""
    packages: Sequence[str] = (
        "edge-fer",
        "keras",
        "tensorflow",
        "openvino",
        "ai-edge-quantizer",
        "onnx",
    )
    return {package: metadata.version(package) for package in packages}

"""One checkpoint to one bundle a format: fold, calibrate, quantize, judge, write."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from converters import activations, ncs, onnx, openvino, tflite
from converters.calibration import (
    CalibrationSet,
    drawn_set,
    labelled_faces,
    shipped_set,
)
from converters.embed import embedded
from converters.fold import folded_model
from converters.gate import Verdict, infer_all, judge
from converters.order import FEWEST, Order
from edge_fer.bundle import Bundle, Manifest, create_bundle
from edge_fer.datasets.shipped import check_faces
from edge_fer.engines import open_engine
from edge_fer.errors import ConfigError, Refused
from edge_fer.progress import Progress
from edge_fer.selftest import selftest_files
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.predict import predict
from edge_fer.types import FaceBatch, ScoreBatch


@dataclass(frozen=True, slots=True)
class Source:
    """What every format is made from."""

    model: keras.Model
    """Folded: bytes to probabilities."""
    float_tflite: bytes
    calibration: CalibrationSet | None
    """None for floats."""
    observed: activations.Activations | None


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
        progress(f"{name} {precision}", 0, 1)
        files = FORMATS[name](source, precision)
        progress(f"{name} {precision}", 1, 1)
        manifest = _manifest(checkpoint, source, name, precision)
        drafts.append(_judged(order, manifest, gate, files, progress))
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


def _tflite(source: Source, precision: str) -> dict[str, bytes]:
    if precision == "fp32":
        return {"model.tflite": source.float_tflite}
    if precision == "fp16":
        return {"model.tflite": tflite.to_float(source.model, half=True)}
    assert source.observed is not None
    return {"model.tflite": tflite.quantize(source.float_tflite, source.observed)}


def _openvino(source: Source, precision: str) -> dict[str, bytes]:
    model = openvino.to_float(source.model)
    if precision == "int8":
        assert source.calibration is not None
        model = openvino.quantize(model, source.calibration.faces, source.calibration.real)
    return openvino.to_files(model, half=precision == "fp16")


def _onnx(source: Source, precision: str) -> dict[str, bytes]:
    if precision != "int8":
        return onnx.to_files(onnx.to_float(source.model, half=precision == "fp16"))
    assert source.calibration is not None
    return onnx.to_files(onnx.quantize(source.model, source.calibration.faces))


def _ncs(source: Source, precision: str) -> dict[str, bytes]:
    return ncs.to_files(onnx.to_float(source.model, bytes_in=False))


FORMATS: Mapping[str, Callable[[Source, str], dict[str, bytes]]] = {
    "tflite": _tflite,
    "openvino": _openvino,
    "onnx": _onnx,
    "ncs": _ncs,
}


def _calibration(order: Order, size: int) -> CalibrationSet | None:
    if not order.quantizes:
        return None
    if order.data is None:
        return shipped_set(size)
    return drawn_set(order.data, "train", order.samples, order.seed, size)


def _source(
    checkpoint: Checkpoint, calibration: CalibrationSet | None, progress: Progress
) -> Source:
    model = folded_model(checkpoint)
    progress("float model", 0, 1)
    floats = tflite.to_float(model)
    progress("float model", 1, 1)
    if calibration is None:
        return Source(model, floats, None, None)
    observed = activations.observe(floats, calibration.faces, partial(progress, "calibration"))
    loud = observed.loud_faces()
    kept = np.setdiff1d(np.arange(len(calibration.faces)), loud)
    return Source(model, floats, without_loud(calibration, loud), observed.kept(kept))


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
    files: dict[str, bytes],
    progress: Progress,
) -> tuple[Manifest, dict[str, bytes], Verdict]:
    """The bundle's content with the gate's verdict in its manifest."""
    with tempfile.TemporaryDirectory() as scratch:
        draft = create_bundle(Path(scratch) / manifest.name, manifest, files)
        engine = open_engine(draft, device="CPU")  # what is made here may run elsewhere
        child = infer_all(engine, gate.faces, partial(progress, f"gate {manifest.name}"))
    verdict = judge(child, gate.parent, gate.truth, gate.data, order.max_drop)
    executed = {"precision_executed": engine.precision, "runtime": engine.runtime}
    judged = Manifest(**{**_fields(manifest), "gate": {**verdict.to_json(), **executed}})
    own = infer_all(engine, gate.carried, _unseen)
    made = {"runtime": engine.runtime, "device": engine.device}
    proof = selftest_files(gate.carried, gate.carried_parent, own, manifest.precision, made)
    return judged, {**embedded(judged, files), **proof}, verdict


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


def _fields(manifest: Manifest) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in Manifest.__slots__}


def _architecture(checkpoint: Checkpoint) -> dict[str, Any]:
    return dict(checkpoint.recipe.to_json()["architecture"])


def tools() -> dict[str, str]:
    """Packages that had a hand in it, and their versions."""
    packages: Sequence[str] = (
        "edge-fer",
        "keras",
        "tensorflow",
        "openvino",
        "nncf",
        "ai-edge-quantizer",
        "onnx",
    )
    return {package: metadata.version(package) for package in packages}

"""A foreign model to bundles: calibrate, quantize, judge and write, as for our own."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from converters import activations, ir, onnx, openvino, tflite
from converters.calibration import CalibrationSet, drawn_set, labelled_faces
from converters.convert import executed_record, tools, without_loud
from converters.embed import embedded
from converters.foreign import Foreign, Terms, open_foreign
from converters.gate import Verdict, infer_all, judge
from converters.order import Order
from edge_fer.bundle import Bundle, Manifest, create_bundle
from edge_fer.datasets.shipped import check_faces
from edge_fer.engines import open_engine
from edge_fer.errors import ConfigError, Refused
from edge_fer.progress import Progress, silent
from edge_fer.selftest import selftest_files
from edge_fer.types import FaceBatch

Draft = tuple[Manifest, dict[str, bytes], Verdict]


def convert_foreign(order: Order, terms: Terms, progress: Progress) -> list[tuple[Bundle, Verdict]]:
    """Make and judge all formats; only when all pass is any bundle written.

    Raises what `open_foreign` raises, ConfigError where INT8 is asked without faces, and Refused.
    """
    if order.quantizes and order.data is None:
        raise ConfigError(
            "INT8 of a model of your own needs --data: the faces that ship were made for ours"
        )
    progress("keras file", 0, 1)
    foreign = open_foreign(order.checkpoint, terms)
    progress("keras file", 1, 1)
    work = _Work(order, foreign, progress)
    drafts = [work.draft(name, precision) for name, precision in order.parts]
    refused = [f"{m.name}: {', '.join(v.reasons)}" for m, _, v in drafts if not v.passed]
    if refused:
        raise Refused(f"{'; '.join(refused)}. Nothing was written")
    return [(create_bundle(order.out / m.name, m, files), v) for m, files, v in drafts]


class _Work:
    """What all formats of one foreign model share."""

    def __init__(self, order: Order, foreign: Foreign, progress: Progress) -> None:
        self._order, self._foreign, self._progress = order, foreign, progress
        self._floats = tflite.to_float(foreign.model)
        self._calibration: CalibrationSet | None = None
        self._observed: activations.Activations | None = None
        if order.quantizes:
            self._calibration, self._observed = self._ranges()
        self._shipped = check_faces(foreign.size)
        self._shipped_scores = foreign.scores(self._shipped)
        self._faces, self._truth, self._data = self._gate_faces()
        self._parent = foreign.scores(self._faces)

    def draft(self, name: str, precision: str) -> Draft:
        """One format with the gate's verdict in its manifest."""
        self._progress(f"{name} {precision}", 0, 1)
        files = self._files(name, precision)
        self._progress(f"{name} {precision}", 1, 1)
        manifest = self._manifest(name, precision)
        with tempfile.TemporaryDirectory() as scratch:
            engine = open_engine(create_bundle(Path(scratch) / "draft", manifest, files))
            answers = infer_all(engine, self._faces, partial(self._progress, f"gate {name}"))
            own = infer_all(engine, self._shipped, partial(silent, "selftest"))
        verdict = judge(answers, self._parent, self._truth, self._data, self._order.max_drop)
        judged = replace(manifest, gate={**verdict.to_json(), **executed_record(engine)})
        made = {"runtime": engine.runtime, "device": engine.device}
        proof = selftest_files(self._shipped, self._shipped_scores, own, precision, made)
        return judged, {**embedded(judged, files), **proof}, verdict

    def _ranges(self) -> tuple[CalibrationSet, activations.Activations]:
        order = self._order
        assert order.data is not None
        drawn = drawn_set(order.data, "train", order.samples, order.seed, self._foreign.size)
        seen = activations.observe(
            self._floats, drawn.faces, partial(self._progress, "calibration")
        )
        loud = seen.loud_faces()
        kept = np.setdiff1d(np.arange(len(drawn.faces)), loud)
        return without_loud(drawn, loud), seen.kept(kept)

    def _gate_faces(self) -> tuple[FaceBatch, Any, dict[str, Any]]:
        if self._order.data is None:
            record = {"dataset": "shipped", "split": None, "faces": len(self._shipped)}
            return self._shipped, None, record
        return labelled_faces(self._order.data, "validation", self._foreign.size)

    def _files(self, name: str, precision: str) -> dict[str, bytes]:
        model, half = self._foreign.model, precision == "fp16"
        if precision != "int8":
            if name == "onnx":
                return onnx.to_files(onnx.to_float(model, half))
            if name == "openvino":
                return openvino.to_files(openvino.to_float(model), half)
            return {"model.tflite": tflite.to_float(model, half) if half else self._floats}
        assert self._calibration is not None
        assert self._observed is not None
        if name == "onnx":
            return onnx.to_files(onnx.quantize(model, self._calibration.faces))
        if name == "openvino":
            graph = openvino.to_float(model)
            told = partial(self._progress, "openvino ranges")
            seen = ir.observe(graph, self._calibration.faces, told)
            return openvino.to_files(openvino.quantize(graph, seen), half=False)
        return {"model.tflite": tflite.quantize(self._floats, self._observed)}

    def _manifest(self, name: str, precision: str) -> Manifest:
        ranges = self._calibration if precision == "int8" else None
        return Manifest(
            name=f"{self._foreign.name}-{precision}-{name}",
            format=name,
            precision=precision,
            input_size=self._foreign.size,
            parent=self._foreign.sha256,
            files={},
            calibration=ranges.record if ranges else {},
            made={**tools(), "trained_on": "unknown: a model of someone else"},
        )

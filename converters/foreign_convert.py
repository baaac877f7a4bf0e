"""A foreign model to bundles: calibrate, quantize, judge and write, as for our own."""

from __future__ import annotations

from functools import partial

import numpy as np

from converters import activations, ir, onnx, openvino, tflite
from converters.calibration import CalibrationSet, drawn_set
from converters.draft import Draft, gate_faces, judged, tools, without_loud, written
from converters.foreign import Foreign, Terms, open_foreign
from converters.gate import Verdict
from converters.jobs import drafts
from converters.makers import Files
from converters.order import Order
from converters.targets import Part
from edge_fer.bundle import Bundle, Manifest
from edge_fer.errors import ConfigError
from edge_fer.progress import Progress


def convert_foreign(order: Order, terms: Terms, progress: Progress) -> list[tuple[Bundle, Verdict]]:
    """Make and judge all formats; only when all pass is any bundle written.

    Raises what `open_foreign` raises, Refused, and ConfigError for the stick and where INT8 is
    asked without faces.
    """
    if any(name == "ncs" for name, _ in order.parts):
        raise ConfigError(
            "bundles for the Intel stick (ncs) are made of this project's own network alone; "
            "choose --target pi, x86 or jetson"
        )
    if order.quantizes and order.data is None:
        raise ConfigError(
            "INT8 of a model of your own needs --data: the faces that ship were made for ours"
        )
    progress("keras file", 0, 1)
    foreign = open_foreign(order.checkpoint, terms)
    progress("keras file", 1, 1)
    drafter = _Drafter(order, foreign, progress)
    return written(drafts(drafter, order.parts, order.jobs, progress), order.out)


class _Drafter:
    """What all formats of one foreign model share."""

    def __init__(self, order: Order, foreign: Foreign, progress: Progress) -> None:
        self._order, self._foreign = order, foreign
        self._floats = tflite.to_float(foreign.model)
        self._calibration: CalibrationSet | None = None
        self._observed: activations.Activations | None = None
        if order.quantizes:
            self._calibration, self._observed = self._ranges(progress)
        self._gate = gate_faces(order, foreign.size, foreign.scores)

    def draft(self, part: Part, progress: Progress) -> Draft:
        """One format with the gate's verdict in its manifest."""
        name, precision = part
        progress(f"{name} {precision}", 0, 1)
        files = self._files(name, precision, progress)
        progress(f"{name} {precision}", 1, 1)
        manifest = self._manifest(name, precision)
        return judged(manifest, files, self._gate, self._order.max_drop, progress)

    def _ranges(self, progress: Progress) -> tuple[CalibrationSet, activations.Activations]:
        order = self._order
        assert order.data is not None
        drawn = drawn_set(order.data, "train", order.samples, order.seed, self._foreign.size)
        seen = activations.observe(self._floats, drawn.faces, partial(progress, "calibration"))
        loud = seen.loud_faces()
        kept = np.setdiff1d(np.arange(len(drawn.faces)), loud)
        return without_loud(drawn, loud), seen.kept(kept)

    def _files(self, name: str, precision: str, progress: Progress) -> Files:
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
            return onnx.to_files(onnx.quantize(model, onnx.observe(model, self._calibration.faces)))
        if name == "openvino":
            graph = openvino.to_float(model)
            told = partial(progress, "openvino ranges")
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

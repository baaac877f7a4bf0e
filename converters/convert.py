"""One checkpoint to one bundle a format: fold, calibrate, quantize, judge, write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from converters import kept, ncs
from converters.bias import corrected
from converters.calibration import CalibrationSet, drawn_set, shipped_set
from converters.draft import (
    Draft,
    GateFaces,
    gate_faces,
    judged,
    opened,
    tools,
    without_loud,
    written,
)
from converters.fold import fold, folded_model, with_betas
from converters.gate import Verdict
from converters.jobs import drafts
from converters.makers import FORMATS, Maker, Source
from converters.order import Order
from converters.probe import flow
from converters.targets import Part
from edge_fer.bundle import Bundle, Manifest
from edge_fer.progress import Progress, silent
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.predict import predict
from edge_fer.types import ScoreBatch


def convert(order: Order, progress: Progress) -> list[tuple[Bundle, Verdict]]:
    """Make and judge all formats; only when all pass is any bundle written.

    Raises Refused naming the format and the figures when the gate says no.
    """
    if any(name == "ncs" for name, _ in order.parts):
        ncs.check_ready()
    checkpoint = Checkpoint.load(order.checkpoint)
    size = checkpoint.recipe.architecture.size
    calibration = _calibration(order, size)
    told = partial(progress, "float parent")
    gate = gate_faces(order, size, lambda faces: predict(checkpoint, faces, told))
    source = _source(checkpoint, calibration, progress)
    drafter = _Drafter(checkpoint, source, gate, order.max_drop)
    return written(drafts(drafter, order.parts, order.jobs, progress), order.out)


@dataclass(frozen=True, slots=True)
class _Drafter:
    """What all formats of one checkpoint share."""

    checkpoint: Checkpoint
    source: Source
    gate: GateFaces
    max_drop: float

    def draft(self, part: Part, progress: Progress) -> Draft:
        """One format and precision; where INT8 fails the gate, with a few layers in float32."""
        name, precision = part
        make = FORMATS[name](self.source, precision, progress)
        manifest = self._manifest(name, precision)
        whole = self._judged(manifest, make, (), progress)
        if whole[2].passed or precision != "int8":
            return whole
        return self._mended(manifest, make, progress) or whole

    def _judged(
        self, manifest: Manifest, make: Maker, layers: Sequence[str], progress: Progress
    ) -> Draft:
        step = f"{manifest.format} {manifest.precision}"
        progress(step, 0, 1)
        files = make(layers)
        progress(step, 1, 1)
        return judged(manifest, files, self.gate, self.max_drop, progress)

    def _mended(self, manifest: Manifest, make: Maker, progress: Progress) -> Draft | None:
        """The draft with the fewest layers in float32 that passes; None where none does."""
        assert self.source.calibration is not None
        faces = self.source.calibration.faces[: kept.PROBES]

        def scores(layers: Sequence[str]) -> ScoreBatch:
            with opened(manifest, make(layers)) as engine:
                return engine.infer(faces)

        parent = predict(self.checkpoint, faces, partial(silent, "probes"))
        told = partial(progress, f"layers {manifest.format}")
        harms = kept.ranked(kept.layer_names(self.source.model), scores, parent, told)
        found = kept.fewest(
            harms, lambda layers: self._judged(manifest, make, layers, progress)[2].passed
        )
        if found is None:
            return None
        chosen = replace(manifest, gate=kept.record(found))
        return self._judged(chosen, make, [harm.layer for harm in found], progress)

    def _manifest(self, format_: str, precision: str) -> Manifest:
        ranges = self.source.calibration if precision == "int8" else None
        recipe = self.checkpoint.recipe
        architecture = dict(recipe.to_json()["architecture"])
        return Manifest(
            name=f"xception-{precision}-{format_}",
            format=format_,
            precision=precision,
            input_size=recipe.architecture.size,
            parent=self.checkpoint.sha256,
            files={},
            temperature=self.checkpoint.temperature,
            abstain_below=self.checkpoint.abstain_below,
            calibration=ranges.record if ranges else {},
            made={
                **tools(),
                "trained_on": self.checkpoint.data,
                "architecture": architecture,
            },
        )


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

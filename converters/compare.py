"""Compares ways to calibrate, on real faces: the table behind the choices in this folder.

    python -m converters.compare fer2013:PATH --sets shipped 64 256 1024 --rules min-max mse

Every row is one INT8 model against its float parent on the same labelled faces. Numbers name sets
of that many faces drawn from the train split; `shipped` is the project's own. `--ready` adds what
is done to the weights first: `plain`, `bias` (correction), `even` (equalization), `both`.
Choices are made on the validation split; `--split test` is for the last look.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import keras
import numpy as np

from converters import activations, ir, openvino, tflite
from converters.bias import corrected
from converters.calibration import CalibrationSet, drawn_set, labelled_faces, shipped_set
from converters.equalize import equalized
from converters.fold import fold, model_of
from converters.gate import infer_all
from converters.probe import Flow, flow
from converters.ranges import RULES
from edge_fer import statistics
from edge_fer.bundle import Manifest, create_bundle
from edge_fer.engines import open_engine
from edge_fer.progress import Bars, Progress
from edge_fer.training.checkpoint import SHIPPED, Checkpoint, Weights
from edge_fer.training.predict import predict
from edge_fer.types import FaceBatch, ScoreBatch

HEADER = (
    "| format | set | faces used | weights | rule | agreement | difference, points [95 %] "
    "| McNemar p | score change |\n|---|---|---|---|---|---|---|---|---|"
)
Made = Mapping[str, Callable[[str], dict[str, bytes]]]
"""Format to a function from the rule's name to the bundle's files."""


def _ready(weights: Weights, seen: Flow, checkpoint: Checkpoint, kind: str) -> Weights:
    """Folded weights with nothing, one or both of the preparations."""
    if kind in ("even", "both"):
        weights, seen = equalized(weights, checkpoint.recipe.architecture, seen)
    return corrected(weights, seen) if kind in ("bias", "both") else weights


def _makers(model: keras.Model, faces: FaceBatch, formats: list[str], progress: Progress) -> Made:
    """Each format's float model, observed once for all rules."""
    made: dict[str, Callable[[str], dict[str, bytes]]] = {}
    if "tflite" in formats:
        floats = tflite.to_float(model)
        seen = activations.observe(floats, faces, partial(progress, "tflite"))
        made["tflite"] = lambda rule: {"model.tflite": tflite.quantize(floats, seen, rule)}
    if "openvino" in formats:
        graph = openvino.to_float(model)
        read = ir.observe(graph, faces, partial(progress, "openvino"))
        made["openvino"] = lambda rule: openvino.to_files(
            openvino.quantize(graph, read, rule), half=False
        )
    return made


def _sets(asked: argparse.Namespace, size: int) -> Iterator[tuple[str, CalibrationSet]]:
    for name in asked.sets:
        drawn = name != "shipped"
        yield (
            name,
            drawn_set(asked.data, "train", int(name), asked.seed, size)
            if drawn
            else shipped_set(size),
        )


def _scores(
    format_: str, files: dict[str, bytes], faces: FaceBatch, progress: Progress
) -> ScoreBatch:
    manifest = Manifest("compared", format_, "int8", faces.shape[1], "compared", {})
    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine(create_bundle(Path(scratch) / "compared", manifest, files))
        return infer_all(engine, faces, partial(progress, format_))


def row(child: ScoreBatch, parent: ScoreBatch, truth: statistics.Classes) -> str:
    """The figures of one model as cells."""
    answers, wanted = child.argmax(1), parent.argmax(1)
    same = statistics.agreement(answers, wanted)
    lost = statistics.paired_bootstrap(answers, wanted, truth)
    points = [100 * share for share in (lost.value, lost.low, lost.high)]
    return (
        f"{same.value:.2%} | {points[0]:+.2f} [{points[1]:+.2f}, {points[2]:+.2f}]"
        f" | {statistics.mcnemar(answers, wanted, truth):.2f}"
        f" | {np.abs(child - parent).sum(1).mean():.4f}"
    )


def compare(asked: argparse.Namespace, progress: Progress) -> Iterator[str]:
    """The table, a line at a time."""
    checkpoint = Checkpoint.load(asked.checkpoint)
    architecture = checkpoint.recipe.architecture
    faces, truth, _ = labelled_faces(asked.data, asked.split, architecture.size)
    faces, truth = faces[:: asked.every], truth[:: asked.every]
    parent = predict(checkpoint, faces, partial(progress, "parent"))
    yield HEADER
    for name, calibration in _sets(asked, architecture.size):
        weights = fold(checkpoint)
        seen = flow(weights, architecture, calibration.faces, partial(progress, f"set {name}"))
        kept = np.setdiff1d(np.arange(len(calibration.faces)), seen.loud_faces())
        for kind in asked.ready:
            ready = _ready(weights, seen.kept(kept), checkpoint, kind)
            model = model_of(ready, architecture)
            makers = _makers(model, calibration.faces[kept], asked.formats, progress)
            for format_, rule in itertools.product(makers, asked.rules):
                child = _scores(format_, makers[format_](rule), faces, progress)
                cells = row(child, parent, truth)
                yield f"| {format_} | {name} | {len(kept)} | {kind} | {rule} | {cells} |"


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="dataset spec with real, labelled faces")
    parser.add_argument("--checkpoint", type=Path, default=SHIPPED)
    parser.add_argument("--sets", nargs="+", default=["shipped", "64", "256", "1024"])
    parser.add_argument("--rules", nargs="+", choices=RULES, default=list(RULES))
    parser.add_argument("--ready", nargs="+", default=["bias"])
    parser.add_argument("--formats", nargs="+", default=["tflite", "openvino"])
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--every", type=int, default=1, help="take each n-th face")
    parser.add_argument("--seed", type=int, default=0)
    with Bars() as bars:
        for line in compare(parser.parse_args(), bars):
            print(line, flush=True)


if __name__ == "__main__":
    main()

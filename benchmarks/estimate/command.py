"""`edge-fer bench estimate`: the ranges, where they come from, and what was really measured."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.cells import Cell, Table
from benchmarks.estimate import here
from benchmarks.estimate.boards import BOARDS
from benchmarks.estimate.roofline import Device, estimate
from benchmarks.estimate.work import Layer, layers_of
from benchmarks.markdown import aligned
from benchmarks.report import Report
from benchmarks.words import megabytes, number, percent
from edge_fer.engines import default_threads
from edge_fer.errors import BadData, ConfigError
from edge_fer.training.checkpoint import SHIPPED, Checkpoint
from edge_fer.training.model import build

HERE = "here"
"""Word for the machine that this runs on."""
REFERENCE = Path(__file__).resolve().parent.parent / "reference"


def estimate_boards(boards: Sequence[str], checkpoint: Path | None) -> str:
    """The table and its sources; raises ConfigError for an unknown board, or the checkpoint's."""
    chosen = [device for name in boards for device in _devices(name)]
    layers = layers_of_checkpoint(checkpoint or SHIPPED)
    rows = tuple(_row(device, layers) for device in chosen)
    header = ("ESTIMATE, nothing measured", "Precision", "Low", "Middle", "High", "Faces/s")
    lines = [
        _work(layers, checkpoint or SHIPPED),
        "",
        *aligned(Table("Estimate", "", header, rows)),
        "",
        *_sources(chosen),
        *_measured(boards),
    ]
    return "\n".join(lines)


def _devices(name: str) -> tuple[Device, ...]:
    if name == HERE:
        return here.devices(min(default_threads(), len(os.sched_getaffinity(0))))
    if name not in BOARDS:
        known = ", ".join((*BOARDS, HERE))
        raise ConfigError(f"unknown board {name!r}: choose from {known}")
    return BOARDS[name]


def layers_of_checkpoint(checkpoint: Path, size: int | None = None) -> list[Layer]:
    """Of the network that a checkpoint holds, for faces of its own size if `size` is None.

    Raises as `Checkpoint.load`.
    """
    architecture = Checkpoint.load(checkpoint).recipe.architecture
    return layers_of(build(replace(architecture, size=size or architecture.size)))


def _row(device: Device, layers: Sequence[Layer]) -> tuple[Cell, ...]:
    found = estimate(layers, device)
    return (
        Cell(device.name),
        Cell(device.precision),
        *(Cell(f"{number(ms)} ms") for ms in (found.low_ms, found.middle_ms, found.high_ms)),
        Cell(f"{number(1000 / found.high_ms)} to {number(1000 / found.low_ms)}"),
    )


def _work(layers: Sequence[Layer], checkpoint: Path) -> str:
    macs = sum(layer.macs for layer in layers)
    weights = sum(layer.weights for layer in layers)
    moved = sum(layer.activations for layer in layers)
    return (
        f"{checkpoint.name}: {number(macs / 1e9)} billion multiply-accumulates in {len(layers)} "
        f"layers; weights {megabytes(4 * weights)} in fp32, {megabytes(weights)} in int8; "
        f"activations {megabytes(4 * moved)} and {megabytes(moved)}"
    )


def _sources(devices: Sequence[Device]) -> Iterator[str]:
    for device in devices:
        least, most = device.efficiencies()
        yield (
            f"{device.name}, {device.precision}: peak {number(device.peak_gmacs)} GMAC/s and "
            f"{number(device.peak_gbytes)} GB/s ({device.source}); like models reach "
            f"{percent(least)} to {percent(most)} of it:"
        )
        for like in device.likes:
            yield f"  {like.model}, {number(like.ms)} ms ({like.source})"


def _measured(boards: Sequence[str]) -> Iterator[str]:
    """What the reference reports say of boards of this name, or of this machine."""
    for file in sorted(REFERENCE.glob("*/report.json")):
        if not any(file.parent.name.startswith(board) for board in boards) and HERE not in boards:
            continue
        with suppress(BadData, OSError):
            report = Report.from_json(file.read_text(), file.parent.name)
            yield f"MEASURED on {report.place} ({file.parent.name}, {report.made[:10]}):"
            for result in report.bundles:
                if result.cost and result.model:
                    precision = result.model.precision_executed
                    yield f"  {result.name}, {precision}: p50 {number(result.cost.p50_ms)} ms"

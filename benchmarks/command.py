"""What `edge-fer bench` and its subcommands ask for, and what they print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks import baseline_run
from benchmarks.baseline_file import BaselineFile
from benchmarks.markdown import plain
from benchmarks.records import QUICK, STANDARD
from benchmarks.run import bench
from benchmarks.words import megabytes, number, percent
from edge_fer.bundle import MANIFEST
from edge_fer.datasets.shipped import SIDE, check_faces
from edge_fer.errors import BundleError, ConfigError
from edge_fer.progress import Progress
from edge_fer.training.checkpoint import SHIPPED

FOLDER = Path("bundles")
SPLIT = "test"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left for the command line to do."""

    text: str
    exit_status: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `edge-fer bench`."""

    bundles: Sequence[Path]
    data: str | None
    split: str | None
    checkpoint: Path | None
    baseline: Path | None
    out: Path
    limit: int | None
    threads: int | None
    quick: bool
    corruptions: bool


def measure(asked: Asked, progress: Progress) -> Outcome:
    """Run the benchmark with the defaults of the command; raises as `benchmarks.run.bench`."""
    if asked.split and not asked.data:
        raise ConfigError(f"--split {asked.split}: is a split of a dataset: give --data too")
    if asked.baseline and asked.checkpoint:
        raise ConfigError("--baseline and --checkpoint: give one, the other's figures are in it")
    report = bench(
        list(asked.bundles or _all_bundles(FOLDER)),
        asked.checkpoint or _shipped(),
        asked.data,
        asked.split or SPLIT,
        asked.out,
        faces=None if asked.data else check_faces(SIDE),
        limit=asked.limit,
        settings=QUICK if asked.quick else STANDARD,
        threads=asked.threads,
        baseline=asked.baseline,
        corruptions=asked.corruptions,
        progress=progress,
    )
    return Outcome(plain(report), report.exit_status)


def baseline(asked: Asked, cpu: bool, progress: Progress) -> Outcome:
    """Measure the parent; raises as `benchmarks.baseline_run.run`."""
    assert asked.data
    found = baseline_run.run(
        asked.checkpoint or SHIPPED,
        asked.data,
        asked.split or SPLIT,
        asked.out,
        cpu=cpu,
        limit=asked.limit,
        settings=QUICK if asked.quick else STANDARD,
        corruptions=asked.corruptions,
        progress=progress,
    )
    return Outcome("\n".join(_lines(found)), 0)


def _lines(found: BaselineFile) -> list[str]:
    """The baseline for a terminal."""
    memory = megabytes(found.gpu_memory_bytes) if found.gpu_memory_bytes else None
    lines = [" · ".join(filter(None, (found.place, memory, found.full.model.runtime)))]
    for one in found.passes:
        best = next(rate for rate in one.batches if rate.batch == one.best_batch)
        low, high = one.accuracy["accuracy_95"]
        lines.append(
            f"{one.model.precision_executed}: {percent(one.accuracy['accuracy'])} "
            f"({percent(low)} to {percent(high)}) of {one.accuracy['faces']:,} faces; one face p50 "
            f"{number(one.cost.p50_ms)} ms, p90 {number(one.cost.p90_ms)} ms; best at "
            f"{best.batch} faces a batch: {number(best.faces_per_s)} faces/s"
        )
    if found.invalid:
        lines.append(f"INVALID: {found.invalid}: the times must not be quoted.")
    return lines


def _shipped() -> Path | None:
    """The shipped checkpoint; None on a board, where there is no Keras to run it."""
    return SHIPPED if find_spec("keras") else None


def _all_bundles(folder: Path) -> list[Path]:
    found = sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}"))
    if not found:
        raise BundleError(f"{folder}: no bundle here; make one with `edge-fer convert --int8`")
    return found

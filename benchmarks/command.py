"""What `edge-fer bench` asks for, and what it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.markdown import plain
from benchmarks.report import STANDARD, Settings
from benchmarks.run import bench
from edge_fer.bundle import MANIFEST
from edge_fer.datasets.shipped import SIDE, check_faces
from edge_fer.errors import BundleError
from edge_fer.progress import Progress
from edge_fer.training.checkpoint import SHIPPED

QUICK = Settings(rounds=5, queries=10, warmup=10)
"""Fifty timed inferences: a look, no proof."""
FOLDER = Path("bundles")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left for the command line to do."""

    text: str
    exit_status: int


def measure(
    bundles: Sequence[Path] | None,
    data: str | None,
    split: str,
    checkpoint: Path | None,
    out: Path,
    limit: int | None,
    threads: int | None,
    quick: bool,
    progress: Progress,
) -> Outcome:
    """Run the benchmark with the defaults of the command; raises as `benchmarks.run.bench`."""
    report = bench(
        list(bundles or _all_bundles(FOLDER)),
        checkpoint or _shipped(),
        data,
        split,
        out,
        faces=None if data else check_faces(SIDE),
        limit=limit,
        settings=QUICK if quick else STANDARD,
        threads=threads,
        progress=progress,
    )
    return Outcome(plain(report), report.exit_status)


def _shipped() -> Path | None:
    """The shipped checkpoint; None on a board, where there is no Keras to run it."""
    return SHIPPED if find_spec("keras") else None


def _all_bundles(folder: Path) -> list[Path]:
    found = sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}"))
    if not found:
        raise BundleError(f"{folder}: no bundle here; make one with `edge-fer convert --int8`")
    return found

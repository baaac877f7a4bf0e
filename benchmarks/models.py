"""A model ready to infer, and what is to be said of it; runtimes are imported when chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_fer.bundle import MANIFEST
from edge_fer.plugins import missing
from edge_fer.protocols import Engine


def open_bundle_engine(path: Path, threads: int) -> tuple[Engine, dict[str, Any]]:
    """A bundle by its own runtime; TensorFlow is not needed."""
    from edge_fer.bundle import open_bundle
    from edge_fer.engines import open_engine

    bundle = open_bundle(path)
    engine = open_engine(bundle, threads)
    return engine, {
        "format": bundle.manifest.format,
        "precision_asked": bundle.manifest.precision,
        "precision_executed": engine.precision,
        "runtime": engine.runtime,
        "device": engine.device,
        "threads": threads,
        "input_size": bundle.manifest.input_size,
        "size_bytes": bundle.size_bytes,
        "sha256": bundle.sha256,
        "parent": bundle.manifest.parent,
    }


def open_baseline(
    path: Path, threads: int, precision: str = "fp32"
) -> tuple[Engine, dict[str, Any]]:
    """A checkpoint by Keras; raises MissingExtra without Keras."""
    try:
        from benchmarks.baseline import Baseline
    except ModuleNotFoundError as error:
        raise missing(error.name or "keras", "the baseline") from error

    baseline = Baseline(path, threads, precision)
    return baseline, baseline.facts


def int8_share(path: Path, threads: int) -> float | None:
    """Share of a bundle's multiplications on 8-bit integers; None where it is not known."""
    if not (path / MANIFEST).is_file():
        return None
    from benchmarks.work import int8_share as share
    from edge_fer.bundle import open_bundle

    return share(open_bundle(path), threads)

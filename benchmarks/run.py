"""The benchmark: load every subject, time them in turns, send the same faces through all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import baseline_file, machine, throttle
from benchmarks.baseline_file import BaselineFile, fingerprint
from benchmarks.energy import open_meter
from benchmarks.faces import Faces, labelled_faces, plain_faces
from benchmarks.journal import Journal
from benchmarks.markdown import markdown
from benchmarks.notes import notes
from benchmarks.page import page
from benchmarks.records import BASELINE, BUNDLE, STANDARD, Settings
from benchmarks.report import Report
from benchmarks.results import results
from benchmarks.sitting import Sitting
from benchmarks.subject import Subject
from edge_fer.bundle import MANIFEST
from edge_fer.engines import DEVICE, default_threads
from edge_fer.errors import ConfigError
from edge_fer.progress import Progress, silent
from edge_fer.storage import write_file
from edge_fer.types import FaceBatch

SCRATCH = ".faces-"
"""Begins the name of the folder of cut faces, beside the report until that is written."""
Named = list[tuple[str, str, Path]]
"""Name, role and path of each subject."""


def bench(
    bundles: Sequence[Path],
    checkpoint: Path | None,
    data: str | None,
    split: str,
    out: Path,
    *,
    faces: FaceBatch | None = None,
    limit: int | None = None,
    settings: Settings = STANDARD,
    threads: int | None = None,
    baseline: Path | None = None,
    corruptions: bool = False,
    progress: Progress = silent,
) -> Report:
    """Measure bundles beside their parent; writes report.json, report.md and report.html to `out`.

    Args:
        checkpoint: the full-precision baseline; None compares with nothing (a board without Keras).
        data: spec of labelled faces; without it `faces`, (N, H, W, 3) uint8 BGR, serve for
            agreement and latency.
        limit: most faces to use, drawn by a fixed seed.
        threads: of every runtime, each on as many cores; the device's default if None.
        baseline: file of `bench baseline` that stands in for the checkpoint.
        corruptions: measure accuracy under every fault of a camera too.

    A bundle that fails is reported and the others are measured: see `Report.exit_status`. Started
    again with the same arguments, an interrupted run goes on. Raises ConfigError, NotFound or
    BadData for what is asked wrongly, StorageError before anything is measured where `out` cannot
    be written, and the baseline's own error.
    """
    cores = _cores(threads)
    chosen = _faces(data, split, faces, limit)
    if not bundles:
        raise ConfigError("no bundle to measure; make one with `edge-fer convert --int8`")
    if corruptions and data is None:
        raise ConfigError("--corruptions: needs labelled faces: give --data")
    known = _known(baseline, chosen, bundles)
    named = _subjects(bundles, None if known else checkpoint)
    facts: dict[str, Any] = {**machine.facts(), "before": machine.condition()}
    before = throttle.read()
    with ExitStack() as stack:
        journal = Journal(out, _plan(named, chosen, settings, cores, corruptions, facts))
        stack.callback(journal.close)
        sitting = stack.enter_context(_sitting(named, chosen, settings, cores, journal, progress))
        sitting.load()
        sitting.time()
        sitting.rates(tuple(sorted(os.sched_getaffinity(0))), len(cores))
        sitting.predict()
        if corruptions:
            sitting.corrupt()
        sitting.weigh_work()
        facts["after"] = machine.condition()
        measured = [*([known.measured()] if known else []), *sitting.measured]
        report = Report(
            made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            edge_fer=metadata.version("edge-fer"),
            faces=chosen.facts,
            settings=settings,
            results=results(measured, chosen.truth),
            machine=facts,
            baseline_machine=known.place if known else None,
            invalid=invalid_because(
                throttle.slowed(before, throttle.read()) or journal.get("slowed"), known
            ),
            sittings=journal.sittings,
            notes=notes(measured, chosen.facts, facts, settings, known.place if known else None),
        )
        write(report, out)
        journal.finish()
    return report


def invalid_because(here: str | None, known: BaselineFile | None) -> str | None:
    """Why the times must not be quoted: those of this machine, or of the baseline's."""
    there = known.invalid if known else None
    return ", ".join(filter(None, (here, there and f"the baseline's machine: {there}"))) or None


def write(report: Report, out: Path) -> None:
    """The report in its three forms; raises StorageError."""
    write_file(out / "report.json", report.to_json().encode())
    write_file(out / "report.md", markdown(report).encode())
    write_file(out / "report.html", page(report).encode())


@contextmanager
def _sitting(
    named: Named,
    faces: Faces,
    settings: Settings,
    cores: tuple[int, ...],
    journal: Journal,
    progress: Progress,
) -> Iterator[Sitting]:
    """Subjects in their processes, and a folder of faces; both go with the block."""
    folder = journal.folder
    for stale in folder.glob(f"{SCRATCH}*"):  # of a sitting that was killed
        shutil.rmtree(stale, ignore_errors=True)
    with ExitStack() as stack:
        scratch = stack.enter_context(TemporaryDirectory(prefix=SCRATCH, dir=folder))
        meter = open_meter()
        if meter:
            stack.callback(meter.close)
        sitting = Sitting(faces, settings, Path(scratch), journal, meter, progress)
        stack.callback(sitting.close)
        for name, role, path in named:
            sitting.add(Subject(name, role, path, cores))
        yield sitting


def _known(path: Path | None, faces: Faces, bundles: Sequence[Path]) -> BaselineFile | None:
    if path is None:
        return None
    found = baseline_file.load(path)
    baseline_file.check(found, path, faces.facts, bundles)
    return found


def _faces(data: str | None, split: str, faces: FaceBatch | None, limit: int | None) -> Faces:
    if data is not None:
        return labelled_faces(data, split, limit)
    if faces is None:
        raise ConfigError("no faces to measure on: give --data, such as fer2013:PATH")
    return plain_faces(faces, limit)


def _cores(threads: int | None) -> tuple[int, ...]:
    """The cores that every subject is held to."""
    allowed = sorted(os.sched_getaffinity(0))
    wanted = default_threads() if threads is None else threads
    if not 1 <= wanted <= len(allowed):
        raise ConfigError(f"threads {wanted}: this machine gives 1 to {len(allowed)}")
    return tuple(allowed[:wanted])


def _subjects(bundles: Sequence[Path], checkpoint: Path | None) -> Named:
    """Name, role and path of each."""
    found = [("full precision", BASELINE, checkpoint)] if checkpoint else []
    return found + [
        (name, BUNDLE, path) for name, path in zip(names_of(bundles), bundles, strict=True)
    ]


def names_of(bundles: Sequence[Path]) -> list[str]:
    """Folder names, numbered where they repeat."""
    folders = [path.absolute().name for path in bundles]
    before = [folders[:i].count(name) for i, name in enumerate(folders)]
    return [f"{name} ({n + 1})" if n else name for name, n in zip(folders, before, strict=True)]


def _plan(
    named: Named,
    faces: Faces,
    settings: Settings,
    cores: tuple[int, ...],
    corruptions: bool,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """All that two sittings must share to belong together."""
    return {
        "subjects": [
            (name, role, fingerprint(path, MANIFEST, "checkpoint.json"))
            for name, role, path in named
        ],
        "faces": (faces.facts.sha256, faces.facts.count),
        "settings": asdict(settings),
        "cores": cores,
        "device": os.environ.get(DEVICE),
        "corruptions": corruptions,
        "machine": (facts["board"], facts["cpu"], facts["memory_bytes"]),
        "edge_fer": metadata.version("edge-fer"),
    }

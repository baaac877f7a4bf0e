"""The benchmark: load every subject, time them in turns, send the same faces through all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import machine
from benchmarks.accuracy import predict
from benchmarks.faces import Faces, labelled_faces, plain_faces
from benchmarks.latency import measure, warm_up
from benchmarks.markdown import markdown
from benchmarks.page import page
from benchmarks.report import BASELINE, BUNDLE, STANDARD, Model, Report, Settings
from benchmarks.results import Measured, notes, results
from benchmarks.subject import Subject
from edge_fer.engines import default_threads
from edge_fer.errors import ConfigError, EdgeFerError
from edge_fer.progress import Progress, silent
from edge_fer.storage import write_file
from edge_fer.types import FaceBatch


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
    progress: Progress = silent,
) -> Report:
    """Measure bundles beside their parent; writes report.json, report.md and report.html to `out`.

    Args:
        checkpoint: the full-precision baseline; None compares with nothing (a board without Keras).
        data: spec of labelled faces; without it `faces`, (N, H, W, 3) uint8 BGR, serve for
            agreement and latency.
        limit: most faces to use, drawn by a fixed seed.
        threads: of every runtime, each on as many cores; the device's default if None.

    A bundle that fails is reported and the others are measured: see `Report.exit_status`. Raises
    ConfigError, NotFound or BadData for what is asked wrongly, and the baseline's own error.
    """
    cores = _cores(threads)
    chosen = _faces(data, split, faces, limit)
    if not bundles:
        raise ConfigError("no bundle to measure; make one with `edge-fer convert --int8`")
    facts = {**machine.facts(), "before": machine.condition()}
    with TemporaryDirectory() as scratch, ExitStack() as stack:
        run = _Run(chosen, settings, Path(scratch), progress)
        for name, role, path in _subjects(bundles, checkpoint):
            subject = Subject(name, role, path, cores)
            stack.callback(subject.close)
            run.add(subject)
        run.load()
        run.time()
        run.predict()
    facts["after"] = machine.condition()
    report = Report(
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        edge_fer=metadata.version("edge-fer"),
        faces=chosen.facts,
        settings=settings,
        results=results(run.measured, chosen.truth),
        machine=facts,
        notes=notes(run.measured, chosen.facts, facts, len(cores)),
    )
    write(report, out)
    return report


def write(report: Report, out: Path) -> None:
    """The report in its three forms; raises StorageError."""
    write_file(out / "report.json", report.to_json().encode())
    write_file(out / "report.md", markdown(report).encode())
    write_file(out / "report.html", page(report).encode())


class _Run:
    """Subjects and what is known of them so far; one that fails takes no further part."""

    def __init__(self, faces: Faces, settings: Settings, scratch: Path, progress: Progress) -> None:
        self._faces, self._settings = faces, settings
        self._scratch, self._progress = scratch, progress
        self._subjects: dict[str, Subject] = {}
        self._measured: dict[str, Measured] = {}
        self._errors: dict[str, EdgeFerError] = {}

    @property
    def measured(self) -> list[Measured]:
        """In the order of the subjects."""
        return list(self._measured.values())

    def add(self, subject: Subject) -> None:
        """Let a subject take part."""
        self._subjects[subject.name] = subject
        self._measured[subject.name] = Measured(subject.name, subject.role)

    def load(self) -> None:
        """Make every model ready and warm; raises where the baseline, which all need, cannot be."""
        for number, subject in enumerate(list(self._subjects.values())):
            self._progress("loading", number, len(self._measured), subject.name)
            self._try(self._load, subject)
        self._progress("loading", len(self._measured), len(self._measured))
        failed = next((m for m in self.measured if m.role == BASELINE and m.failed), None)
        if failed:
            raise self._errors[failed.name]

    def time(self) -> None:
        """Latency in interleaved rounds, then peak memory before any batch is run."""
        timings = measure(list(self._subjects.values()), self._settings, self._progress)
        for name, error in timings.failures.items():
            self._fail(self._subjects[name], error)
        for name, times in timings.times.items():
            self._measured[name].times = times
            self._try(self._weigh, self._subjects[name])

    def predict(self) -> None:
        """Scores of all faces."""
        for subject in list(self._subjects.values()):
            self._try(self._predict, subject)

    def _try(self, step: Callable[[Subject], None], subject: Subject) -> None:
        try:
            step(subject)
        except EdgeFerError as error:
            self._fail(subject, error)

    def _weigh(self, subject: Subject) -> None:
        self._measured[subject.name].peak_rss_bytes = subject.peak_rss_bytes()

    def _predict(self, subject: Subject) -> None:
        count = self._faces.facts.count
        self._measured[subject.name].scores = predict(subject, count, self._progress)

    def _load(self, subject: Subject) -> None:
        measured, answer = self._measured[subject.name], subject.load()
        measured.load_ms, measured.model = answer["load_ms"], Model(**answer["model"])
        subject.see(self._file(measured.model.input_size))
        measured.first_ms = warm_up(subject, self._settings)

    def _file(self, size: int) -> Path:
        """The faces at one input size, as a file that workers map."""
        path = self._scratch / f"faces-{size}.npy"
        if not path.is_file():
            np.save(path, self._faces.at(size))
        return path

    def _fail(self, subject: Subject, error: EdgeFerError) -> None:
        measured = self._measured[subject.name]
        measured.failed, self._errors[subject.name] = str(error), error
        self._subjects.pop(subject.name).close()


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


def _subjects(bundles: Sequence[Path], checkpoint: Path | None) -> list[tuple[str, str, Path]]:
    """Name, role and path of each; names are folder names, numbered where they repeat."""
    found = [("full precision", BASELINE, checkpoint)] if checkpoint else []
    for path in bundles:
        name = path.absolute().name
        same = sum(other.absolute().name == name for _, role, other in found if role == BUNDLE)
        found.append((f"{name} ({same + 1})" if same else name, BUNDLE, path))
    return found

"""`bench baseline`: the parent in full and in mixed precision, one face and many at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import machine, rates, throttle
from benchmarks.accuracy import answers, predict
from benchmarks.backends import choose, environment
from benchmarks.baseline_file import BaselineFile, Pass
from benchmarks.faces import Faces, labelled_faces
from benchmarks.latency import cost, measure, warm_up
from benchmarks.records import BASELINE, Model, Rate, Settings
from benchmarks.subject import Subject
from edge_fer.datasets.corruptions import CORRUPTIONS
from edge_fer.errors import EngineError, StorageError
from edge_fer.progress import Progress, silent
from edge_fer.statistics import summary
from edge_fer.storage import write_file
from edge_fer.types import ScoreBatch

MOST_BATCH = 1024
GAIN = 1.03
"""Faces a second of a doubled batch, against the best so far, that count as faster."""
BATCH_S = 2.0
"""Seconds of each batch size."""


def run(
    checkpoint: Path,
    data: str,
    split: str,
    out: Path,
    *,
    cpu: bool = False,
    limit: int | None = None,
    settings: Settings,
    corruptions: bool = False,
    progress: Progress = silent,
) -> BaselineFile:
    """Measure a checkpoint and write the file; raises as `choose`, the readers and Keras do.

    The GPU's name and memory are what the backend tells; on the CPU it runs on all cores.
    """
    backend = choose(cpu)
    faces = labelled_faces(data, split, limit)
    _check_out(out)
    facts: dict[str, Any] = {**machine.facts(), "before": machine.condition()}
    before = throttle.read()
    with TemporaryDirectory() as scratch:
        work = _Work(checkpoint, faces, Path(scratch), backend, cpu, settings, progress)
        full, told = work.measure("fp32", keep=True)
        passes = [full]
        if told["mixed"]:
            passes.append(work.measure(told["mixed"])[0])
        digits = work.corruptions() if corruptions else {}
    facts["after"] = machine.condition()
    found = BaselineFile(
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        edge_fer=metadata.version("edge-fer"),
        checkpoint=full.model.sha256,
        backend=backend,
        device=full.model.device,
        gpu_memory_bytes=told["memory_bytes"],
        faces=faces.facts,
        settings=settings,
        passes=tuple(passes),
        machine=facts,
        corruptions=digits,
        invalid=throttle.slowed(before, throttle.read()),
    )
    write_file(out, found.to_json().encode())
    return found


class _Work:
    """One checkpoint on one device."""

    def __init__(
        self,
        checkpoint: Path,
        faces: Faces,
        scratch: Path,
        backend: str,
        cpu: bool,
        settings: Settings,
        progress: Progress,
    ) -> None:
        self._checkpoint, self._faces, self._scratch = checkpoint, faces, scratch
        self._environment = environment(backend, cpu)
        self._settings, self._progress = settings, progress

    def measure(self, precision: str, keep: bool = False) -> tuple[Pass, dict[str, Any]]:
        """One precision, and what its process tells of the device; `keep` keeps all scores."""
        with self._subject(precision) as (subject, model, load_ms):
            first_ms = warm_up(subject, self._settings)
            timings = measure([subject], self._settings, self._progress)
            if timings.failures:
                raise timings.failures[subject.name]
            memory = subject.memory()
            batches = self._batches(subject, model.threads)
            scores = predict(subject, self._faces.facts.count, self._progress)
            told = subject.ask("device")
        return (
            Pass(
                model=model,
                cost=cost(load_ms, first_ms, memory, timings.turns[subject.name]),
                batches=tuple(batches),
                best_batch=max(batches, key=lambda found: found.faces_per_s).batch,
                gpu_peak_bytes=told["peak_bytes"],
                accuracy=summary(scores.astype(np.float64), self._truth),
                scores=_rounded(scores) if keep else (),
                answers=_digits(scores),
            ),
            told,
        )

    def corruptions(self) -> dict[str, str]:
        """Fault to answers in full precision."""
        found = {}
        with self._subject("fp32") as (subject, model, _):
            for fault in CORRUPTIONS:
                subject.see(self._file(model.input_size, fault))
                count = self._faces.facts.count
                found[fault] = _digits(predict(subject, count, self._progress, fault))
        return found

    @property
    def _truth(self) -> np.ndarray:
        truth = self._faces.truth
        assert truth is not None
        return truth

    @contextmanager
    def _subject(self, precision: str) -> Iterator[tuple[Subject, Model, float]]:
        """A loaded process that sees the faces; its model; its load time in milliseconds."""
        cores = tuple(sorted(os.sched_getaffinity(0)))
        subject = Subject(
            f"Keras {precision}", BASELINE, self._checkpoint, cores, precision, self._environment
        )
        try:
            self._progress("loading", 0, 1, subject.name)
            answer = subject.load()
            model = Model(**answer["model"])
            subject.see(self._file(model.input_size))
            self._progress("loading", 1, 1)
            yield subject, model, answer["load_ms"]
        finally:
            subject.close()

    def _batches(self, subject: Subject, threads: int) -> list[Rate]:
        """Doubled batches until two in a row bring no more, or memory ends."""
        found: list[Rate] = []
        stale = 0
        seconds = BATCH_S if self._settings.turn_s else 0.0
        for batch in (2**i for i in range(MOST_BATCH.bit_length())):
            best = max((one.faces_per_s for one in found), default=0.0)
            try:
                found.append(rates.rate(subject, threads, batch, seconds))
            except EngineError:
                if found:
                    break  # the memory of the device is used up
                raise
            self._progress("batches", len(found), len(found), f"{batch} faces")
            stale = 0 if found[-1].faces_per_s > GAIN * best else stale + 1
            if stale == 2:
                break
        return found

    def _file(self, size: int, fault: str | None = None) -> Path:
        path = self._scratch / f"{fault or 'faces'}.npy"
        if not path.is_file():
            np.save(path, self._faces.corrupted(fault, size) if fault else self._faces.at(size))
        return path


def _rounded(scores: ScoreBatch) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(s, 6) for s in row) for row in scores.astype(float).tolist())


def _digits(scores: ScoreBatch) -> str:
    return "".join(map(str, answers(scores).tolist()))


def _check_out(out: Path) -> None:
    """Raise StorageError before anything is measured."""
    if out.is_dir():
        raise StorageError(f"{out}: is a folder; name a file, such as {out / 'baseline.json'}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".baseline-", dir=out.parent):
            pass
    except OSError as error:
        raise StorageError(
            f"{out}: cannot be written ({error.strerror}); choose another --out"
        ) from error

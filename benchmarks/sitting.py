"""The steps of a run over all subjects; one that fails takes no further part."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rates, throttle
from benchmarks.accuracy import answers, predict
from benchmarks.energy import Meter
from benchmarks.faces import Faces
from benchmarks.journal import Journal
from benchmarks.latency import Turn, measure, warm_up
from benchmarks.records import BASELINE, BUNDLE, Model, Rate, Settings
from benchmarks.results import Measured
from benchmarks.subject import Subject
from edge_fer.datasets.corruptions import CORRUPTIONS
from edge_fer.errors import EdgeFerError
from edge_fer.progress import Progress


class Sitting:
    """Subjects and what is known of them so far, earlier sittings included."""

    def __init__(
        self,
        faces: Faces,
        settings: Settings,
        scratch: Path,
        journal: Journal,
        meter: Meter | None,
        progress: Progress,
    ) -> None:
        self._faces, self._settings, self._scratch = faces, settings, scratch
        self._before = throttle.read()
        self._journal, self._meter, self._progress = journal, meter, progress
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

    def close(self) -> None:
        """End all processes."""
        for subject in self._subjects.values():
            subject.close()

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
        """Latency in interleaved rounds, then memory, before any batch is run."""
        subjects = list(self._subjects.values())
        timings = measure(
            subjects, self._settings, self._progress, self._meter, self._rounds(), self._keep
        )
        for name, error in timings.failures.items():
            self._fail(self._subjects[name], error)
        for name, turns in timings.turns.items():
            self._measured[name].turns = turns
            self._measured[name].sensor = self._meter.name if self._meter else ""
            self._try(self._weigh, self._subjects[name])

    def rates(self, cores: tuple[int, ...], own: int) -> None:
        """Throughput by batch and by threads, of the bundles."""
        if not self._settings.rate_s:
            return
        pairs = list(rates.plan(len(cores), own))
        bundles = [s for s in self._subjects.values() if s.role == BUNDLE]
        for subject in bundles:
            self._try(lambda s: self._rates(s, pairs, cores, own), subject)

    def predict(self) -> None:
        """Scores of all faces."""
        for subject in list(self._subjects.values()):
            self._try(self._predict, subject)

    def corrupt(self) -> None:
        """Answers to the same faces under every fault of a camera."""
        for fault in CORRUPTIONS:
            for subject in list(self._subjects.values()):
                self._try(lambda s, f=fault: self._corrupt(s, f), subject)  # type: ignore[misc]

    def weigh_work(self) -> None:
        """Share of INT8 work, last of all: it compiles some models once more."""
        for name, subject in list(self._subjects.items()):
            model = self._measured[name].model
            if subject.role == BUNDLE and model:
                with suppress(EdgeFerError):  # not known, which is no failure
                    share = subject.int8_share()
                    self._measured[name].model = replace(model, int8_share=share)

    def _try(self, step: Callable[[Subject], None], subject: Subject) -> None:
        try:
            step(subject)
        except EdgeFerError as error:
            self._fail(subject, error)

    def _load(self, subject: Subject) -> None:
        measured, answer = self._measured[subject.name], subject.load()
        measured.load_ms, measured.model = answer["load_ms"], Model(**answer["model"])
        subject.see(self._file(measured.model.input_size))
        measured.first_ms = warm_up(subject, self._settings)

    def _rounds(self) -> list[dict[str, Turn]]:
        """Those of earlier sittings in which every subject of this one took part."""
        found: list[dict[str, Turn]] = []
        while kept := self._journal.get("round", len(found)):
            turns = {name: _turn(turn) for name, turn in kept.items()}
            if not set(self._subjects) <= set(turns):
                break
            found.append(turns)
        return found[: self._settings.rounds]

    def _keep(self, number: int, turns: dict[str, Turn]) -> None:
        kept = {name: _plain(turn) for name, turn in turns.items()}
        self._journal.put(kept, "round", number)
        slowed = throttle.slowed(self._before, throttle.read())
        if slowed:  # a later sitting would know nothing of it, and keep the round
            self._journal.put(slowed, "slowed")

    def _weigh(self, subject: Subject) -> None:
        self._measured[subject.name].memory = subject.memory()

    def _rates(
        self, subject: Subject, pairs: list[tuple[int, int]], cores: tuple[int, ...], own: int
    ) -> None:
        for number, (threads, batch) in enumerate(pairs):
            found = self._journal.get("rate", subject.name, threads, batch)
            if found is None:
                found = self._rate(subject, cores[:threads], threads == own, batch)
                self._journal.put(found, "rate", subject.name, threads, batch)
            self._measured[subject.name].rates.append(Rate(**found))
            self._progress(f"{subject.name}: throughput", number + 1, len(pairs))

    def _rate(
        self, subject: Subject, cores: tuple[int, ...], own: bool, batch: int
    ) -> dict[str, Any]:
        """With the subject's own process, or with one of its own on so many cores."""
        chosen = subject if own else Subject(subject.name, subject.role, subject.path, cores)
        try:
            if not own:
                size = chosen.load()["model"]["input_size"]
                chosen.see(self._file(size))
            found = rates.rate(chosen, len(cores), batch, self._settings.rate_s)
        finally:
            if not own:
                chosen.close()
        return _plain(found)

    def _predict(self, subject: Subject) -> None:
        kept = self._journal.get("scores", subject.name)
        if kept is None:
            kept = predict(subject, self._faces.facts.count, self._progress).tolist()
            self._journal.put(kept, "scores", subject.name)
        self._measured[subject.name].scores = np.array(kept, np.float32)

    def _corrupt(self, subject: Subject, fault: str) -> None:
        measured = self._measured[subject.name]
        kept = self._journal.get("fault", subject.name, fault)
        if kept is None:
            assert measured.model
            subject.see(self._file(measured.model.input_size, fault))
            scores = predict(subject, self._faces.facts.count, self._progress, fault)
            kept = answers(scores).tolist()
            self._journal.put(kept, "fault", subject.name, fault)
        measured.corrupted[fault] = np.array(kept, np.int64)

    def _file(self, size: int, fault: str | None = None) -> Path:
        """The faces at one input size, as a file that workers map."""
        path = self._scratch / f"faces-{size}{'-' + fault if fault else ''}.npy"
        if not path.is_file():
            faces = self._faces.corrupted(fault, size) if fault else self._faces.at(size)
            np.save(path, faces)
        return path

    def _fail(self, subject: Subject, error: EdgeFerError) -> None:
        measured = self._measured[subject.name]
        # A report goes to others: it names the bundle, not the folders above it.
        measured.failed = str(error).replace(f"{subject.path.parent}/", "")
        self._errors[subject.name] = error
        self._subjects.pop(subject.name).close()


def _plain(found: Turn | Rate) -> dict[str, Any]:
    """Ready for JSON; times to a tenth of a microsecond."""
    record = {name: getattr(found, name) for name in found.__slots__}
    if isinstance(found, Turn):
        record["ms"] = [round(ms, 4) for ms in found.ms.tolist()]
    return record


def _turn(record: dict[str, Any]) -> Turn:
    return Turn(**{**record, "ms": np.array(record["ms"], np.float64)})

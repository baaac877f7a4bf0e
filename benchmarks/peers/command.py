"""`edge-fer bench peers`: bundles and peers in one interleaved run."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.accuracy import answers, predict
from benchmarks.faces import Faces, labelled_faces
from benchmarks.latency import Turn, cost, measure, medians, speed, warm_up
from benchmarks.peers import PEERS, Peer
from benchmarks.peers.environments import installed_bytes, python_of
from benchmarks.peers.report import PeerReport, PeerResult, known_files
from benchmarks.records import BUNDLE, Settings
from benchmarks.subject import Subject
from edge_fer.engines import default_threads
from edge_fer.errors import ConfigError, EdgeFerError, NotFound
from edge_fer.progress import Progress
from edge_fer.statistics import accuracy, macro_f1, paired_difference
from edge_fer.types import ScoreBatch

SETTINGS = Settings(rounds=20, queries=52, turn_s=1.0, warmup=10, rate_s=0.0)
WORKER = Path(__file__).parent / "worker.py"


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command."""

    data: str
    split: str
    limit: int | None
    only: Sequence[str]
    bundles: Sequence[Path]
    files: Path | None
    environments: Path
    out: Path


@dataclass(slots=True)
class _Side:
    """What is known of one of them so far."""

    name: str
    told: str
    failed: str | None = None
    load_ms: float = 0.0
    first_ms: float = 0.0
    start_s: float | None = None
    installed: int | None = None
    turns: list[Turn] = field(default_factory=list)
    memory: tuple[int, int] = (0, 0)
    scores: ScoreBatch | None = None


def measure_peers(asked: Asked, progress: Progress, settings: Settings = SETTINGS) -> PeerReport:
    """Measure and write; raises ConfigError, NotFound or BadData for what is asked wrongly.

    A peer that cannot be run is listed with the reason, and the others are measured.
    """
    chosen = _chosen(asked)
    faces = labelled_faces(asked.data, asked.split, asked.limit)
    cores = tuple(sorted(os.sched_getaffinity(0)))[: default_threads()]
    facts: dict[str, Any] = {**machine.facts(), "before": machine.condition()}
    with TemporaryDirectory() as scratch, ExitStack() as stack:
        run = _Run(asked, faces, Path(scratch), cores, stack, progress)
        for path in asked.bundles:
            run.bundle(path)
        for peer in chosen:
            run.peer(peer)
        run.measure(settings)
    facts["after"] = machine.condition()
    report = PeerReport(
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        edge_fer=metadata.version("edge-fer"),
        faces=faces.facts,
        machine=facts,
        results=tuple(_result(side, run.sides, faces) for side in run.sides),
    )
    report.write(asked.out)
    return report


class _Run:
    """Bundles and peers, each in a process."""

    def __init__(
        self,
        asked: Asked,
        faces: Faces,
        scratch: Path,
        cores: tuple[int, ...],
        stack: ExitStack,
        progress: Progress,
    ) -> None:
        self._asked, self._faces, self._scratch = asked, faces, scratch
        self._cores, self._stack, self._progress = cores, stack, progress
        self._subjects: dict[str, Subject] = {}
        self.sides: list[_Side] = []

    def bundle(self, path: Path) -> None:
        """One of ours."""
        side = self._side(path.absolute().name, "edge-fer")
        self._open(side, path, None)

    def peer(self, peer: Peer) -> None:
        """One of theirs: its files, its environment, its process."""
        side = self._side(peer.name, peer.told)
        missing = known_files(self._asked.files, peer.files)
        if missing:
            side.failed = f"needs {' and '.join(missing)} in the folder of --files"
            return
        self._progress("environments", 0, 1, peer.name)
        try:
            python = python_of(peer, self._asked.environments)
        except EdgeFerError as error:
            side.failed = str(error)
            return
        side.installed = installed_bytes(python)
        given = [str(self._asked.files.absolute())] if self._asked.files else []
        self._open(side, WORKER, [str(python), str(WORKER), peer.name, *given])

    def measure(self, settings: Settings) -> None:
        """Rounds over all that were opened, then their answers."""
        by_name = {side.name: side for side in self.sides}
        timings = measure(list(self._subjects.values()), settings, self._progress)
        for name, error in timings.failures.items():
            by_name[name].failed = str(error)
        for name, turns in timings.turns.items():
            side, subject = by_name[name], self._subjects[name]
            try:
                side.turns, side.memory = turns, subject.memory()
                side.scores = predict(subject, self._faces.facts.count, self._progress)
            except EdgeFerError as error:
                side.failed = str(error)

    def _side(self, name: str, told: str) -> _Side:
        self.sides.append(_Side(name, told))
        return self.sides[-1]

    def _open(self, side: _Side, path: Path, command: list[str] | None) -> None:
        began = time.monotonic()
        subject = Subject(side.name, BUNDLE, path, self._cores, command=command)
        self._stack.callback(subject.close)
        try:
            answer = subject.load()
            ready = time.monotonic() - began
            subject.see(self._file(answer.get("side") or answer["model"]["input_size"]))
            side.load_ms = answer["load_ms"]
            side.first_ms = warm_up(subject, Settings(warmup=0))
            side.start_s = ready + side.first_ms / 1000
        except EdgeFerError as error:
            side.failed = str(error)
            return
        self._subjects[side.name] = subject

    def _file(self, size: int) -> Path:
        path = self._scratch / f"faces-{size}.npy"
        if not path.is_file():
            np.save(path, self._faces.at(size))
        return path


def _chosen(asked: Asked) -> list[Peer]:
    """Raises ConfigError for an unknown name, NotFound for a folder that is not there."""
    known = {peer.name: peer for peer in PEERS}
    for name in asked.only:
        if name not in known:
            raise ConfigError(f"unknown peer {name!r}: choose from {', '.join(known)}")
    if asked.files and not asked.files.is_dir():
        raise NotFound(f"{asked.files}: no such folder of model files")
    return [peer for peer in PEERS if not asked.only or peer.name in asked.only]


def _result(side: _Side, sides: Sequence[_Side], faces: Faces) -> PeerResult:
    if side.failed or side.scores is None:
        return PeerResult(side.name, side.told, side.failed or "not measured")
    truth = faces.truth
    assert truth is not None
    best = answers(side.scores)
    first = next(one for one in sides if one.scores is not None)
    ours = None if side is first else first
    return PeerResult(
        name=side.name,
        told=side.told,
        cost=cost(side.load_ms, side.first_ms, side.memory, side.turns),
        start_s=side.start_s,
        installed_bytes=side.installed,
        accuracy=accuracy(best, truth),
        macro_f1=macro_f1(best, truth),
        difference=paired_difference(best, answers(ours.scores), truth)
        if ours and ours.scores is not None
        else None,
        speed=speed(medians(side.turns), medians(ours.turns)).value if ours else None,
    )

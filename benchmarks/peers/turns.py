"""Entrants in processes of their own, measured in interleaved rounds, then asked for answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.latency import Turn, measure, warm_up
from benchmarks.peers.entrants import NO_DETECTOR, Entrant
from benchmarks.records import BUNDLE, Settings
from benchmarks.subject import Subject
from edge_fer.errors import EdgeFerError
from edge_fer.progress import Progress


@dataclass(slots=True)
class Outcome:
    """What one process showed in one way of asking."""

    failed: str | None = None
    load_ms: float = 0.0
    first_ms: float = 0.0
    start_s: float | None = None
    """From the start of the process to its first answer."""
    turns: list[Turn] = field(default_factory=list)
    memory: tuple[int, int] = (0, 0)
    answers: Any = None


@dataclass(frozen=True, slots=True)
class Way:
    """One way of asking, and all that it needs."""

    name: str
    pictures: Callable[[dict[str, Any]], Path]
    """The .npy file for a worker, by what it told when it was loaded."""
    ask: Callable[[Subject], Any]
    """What the subject answers to all of them."""
    settings: Settings


def take_turns(
    entrants: Sequence[Entrant],
    way: Way,
    cores: tuple[int, ...],
    scratch: Path,
    progress: Progress,
) -> dict[str, Outcome]:
    """One outcome for each entrant, by name; one that fails takes no further part."""
    outcomes = {one.name: Outcome(one.failed) for one in entrants}
    with ExitStack() as stack:
        subjects = []
        for number, one in enumerate(entrants):
            progress(f"loading for {way.name}", number, len(entrants), one.name)
            if one.failed is None and way.name not in one.commands:
                outcomes[one.name].failed = NO_DETECTOR
            if outcomes[one.name].failed is None:
                subject = _opened(one, way, cores, scratch, outcomes[one.name], stack)
                subjects += [subject] if subject else []
        progress(f"loading for {way.name}", len(entrants), len(entrants))
        timings = measure(subjects, way.settings, progress)
        for name, error in timings.failures.items():
            outcomes[name].failed = str(error)
        for subject in subjects:
            if subject.name in timings.turns:
                outcomes[subject.name].turns = timings.turns[subject.name]
                _asked(subject, way, outcomes[subject.name])
    return outcomes


def _opened(
    one: Entrant,
    way: Way,
    cores: tuple[int, ...],
    scratch: Path,
    outcome: Outcome,
    stack: ExitStack,
) -> Subject | None:
    """Loaded and warm, or None with the reason in the outcome."""
    began = time.monotonic()
    # Some packages leave files behind: in a folder that goes with the run.
    home = {"TMPDIR": str(scratch)}
    command = one.commands[way.name]
    subject = Subject(one.name, BUNDLE, one.path, cores, environment=home, command=command)
    stack.callback(subject.close)
    try:
        told = subject.load()
        ready = time.monotonic() - began
        subject.see(way.pictures(told))
        outcome.load_ms = told["load_ms"]
        outcome.first_ms = warm_up(subject, way.settings)
    except EdgeFerError as error:
        outcome.failed = str(error)
        return None
    outcome.start_s = ready + outcome.first_ms / 1000
    return subject


def _asked(subject: Subject, way: Way, outcome: Outcome) -> None:
    try:
        outcome.memory = subject.memory()
        outcome.answers = way.ask(subject)
    except EdgeFerError as error:
        outcome.failed = str(error)

"""From what the processes showed to the figures, each package beside our first bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import answers
from benchmarks.latency import cost, medians, speed
from benchmarks.peers.clip import Finds, Known, finds
from benchmarks.peers.entrants import Entrant
from benchmarks.peers.turns import Outcome
from benchmarks.records import Cost
from edge_fer.statistics import Interval, accuracy, macro_f1, paired_difference

Truth = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Watched:
    """One package on the frames of the clip: its own detector and its classifier."""

    failed: str | None = None
    """Why it was not measured."""
    cost: Cost | None = None
    """Of frames, not of faces."""
    start_s: float | None = None
    """From the start of its process to the answer to its first frame."""
    finds: Finds | None = None
    speed: float | None = None
    """Median over the rounds of its p50 / that of the first row."""


@dataclass(frozen=True, slots=True)
class PeerResult:
    """One package, or one of our bundles, on the same faces and the same clip."""

    name: str
    role: str
    """`bundle` or `peer`."""
    told: str
    failed: str | None = None
    """Why it was not run."""
    cost: Cost | None = None
    start_s: float | None = None
    """From the start of its process to its first answer."""
    installed_bytes: int | None = None
    accuracy: Interval | None = None
    macro_f1: float | None = None
    difference: Interval | None = None
    """Accuracy minus that of the first bundle, paired."""
    speed: float | None = None
    """Median over the rounds of its p50 / that of the first bundle."""
    clip: Watched | None = None
    """None where it took no part at all."""


def results(
    entrants: Sequence[Entrant],
    on_faces: Mapping[str, Outcome],
    on_frames: Mapping[str, Outcome],
    truth: Truth | None,
    known: Sequence[Sequence[Known]],
) -> tuple[PeerResult, ...]:
    """In the order of the entrants; the first that could be measured is the reference."""
    assert truth is not None
    names = [one.name for one in entrants]
    first = next((on_faces[name] for name in names if on_faces[name].failed is None), None)
    ahead = next((on_frames[name] for name in names if on_frames[name].failed is None), None)
    return tuple(
        _result(one, on_faces[one.name], first, truth, _watched(on_frames[one.name], ahead, known))
        for one in entrants
    )


def _result(
    one: Entrant, shown: Outcome, first: Outcome | None, truth: Truth, clip: Watched
) -> PeerResult:
    if shown.failed is not None:
        alone = None if one.failed else clip
        return PeerResult(one.name, one.role, one.told, shown.failed, clip=alone)
    assert first is not None
    best = answers(shown.answers)
    ours = None if shown is first else answers(first.answers)
    return PeerResult(
        name=one.name,
        role=one.role,
        told=one.told,
        start_s=shown.start_s,
        installed_bytes=one.installed_bytes,
        accuracy=accuracy(best, truth),
        macro_f1=macro_f1(best, truth),
        difference=None if ours is None else paired_difference(best, ours, truth),
        clip=clip,
        **_times(shown, first),
    )


def _watched(shown: Outcome, first: Outcome | None, known: Sequence[Sequence[Known]]) -> Watched:
    if shown.failed is not None:
        return Watched(shown.failed)
    assert first is not None
    return Watched(start_s=shown.start_s, finds=finds(known, shown.answers), **_times(shown, first))


def _times(shown: Outcome, first: Outcome) -> dict[str, Any]:
    return {
        "cost": cost(shown.load_ms, shown.first_ms, shown.memory, shown.turns),
        "speed": None
        if shown is first
        else speed(medians(shown.turns), medians(first.turns)).value,
    }

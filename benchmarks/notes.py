"""What a reader must know before quoting a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.accuracy import FIRM, LEAST
from benchmarks.latency import is_unsteady
from benchmarks.machine import is_busy
from benchmarks.records import BASELINE, FaceFacts, Settings
from benchmarks.results import Measured
from benchmarks.words import percent

MOST_WORK = 0.9
"""Share of INT8 work below which an INT8 bundle is not what its name says."""
LEAST_QUERIES, LEAST_S = 1024, 60.0
"""Of MLPerf Inference's single-stream scenario (mlcommons/inference_policies), a subject."""


def notes(
    measured: Sequence[Measured],
    faces: FaceFacts,
    machine: dict[str, Any],
    settings: Settings,
    elsewhere: str | None = None,
) -> tuple[str, ...]:
    """One sentence each; `elsewhere` names the machine of a baseline that comes from a file."""
    return (
        *(note for m in measured for note in _of_subject(m)),
        *_of_baseline(measured, elsewhere),
        *_of_faces(faces),
        *_of_protocol(measured, settings),
        *_of_machine(machine),
    )


def _of_subject(measured: Measured) -> Iterator[str]:
    if measured.failed:
        named = measured.name in measured.failed
        yield f"Failed: {'' if named else measured.name + ': '}{measured.failed}"
    model = measured.model
    share = model.int8_share if model and model.precision_asked == "int8" else None
    if share is not None and share < MOST_WORK:
        yield (
            f"{measured.name}: is int8, but {percent(share)} of its multiplications ran on "
            "8-bit integers, the others on floats."
        )
    elif model and model.precision_asked != model.precision_executed:
        yield (
            f"{measured.name}: is {model.precision_asked}, but the runtime executed "
            f"{model.precision_executed}."
        )


def _of_baseline(measured: Sequence[Measured], elsewhere: str | None) -> Iterator[str]:
    baseline = next((m.model for m in measured if m.role == BASELINE and m.model), None)
    if baseline is None:
        yield "No baseline was measured: there is nothing to compare with."
        return
    if elsewhere:
        yield (
            f"The baseline was measured on {elsewhere}: speed compares two machines, accuracy "
            "and agreement are paired face by face."
        )
    for m in measured:
        if m.model and m.model.parent not in (None, baseline.sha256):
            yield (
                f"{m.name}: the baseline is not its parent; agreement and difference are those of "
                "two separate models."
            )


def _of_faces(faces: FaceFacts) -> Iterator[str]:
    if not faces.labelled:
        yield "No labelled faces were given: accuracy is not measured, agreement only."
    elif faces.count < LEAST:
        yield f"Only {faces.count} labelled faces: intervals are printed, the verdict is withheld."
    elif faces.count < FIRM:
        yield f"Only {faces.count} labelled faces: verdicts are provisional under {FIRM:,}."


def _of_protocol(measured: Sequence[Measured], settings: Settings) -> Iterator[str]:
    unsteady = [m.name for m in measured if m.turns and is_unsteady(m.turns)]
    if unsteady:
        yield f"Latency was unsteady from round to round: {', '.join(unsteady)}."
    timed = [m.turns for m in measured if m.turns]
    queries = min((sum(turn.ms.size for turn in turns) for turns in timed), default=LEAST_QUERIES)
    seconds = settings.rounds * settings.turn_s
    if queries < LEAST_QUERIES or seconds < LEAST_S:
        yield (
            f"A short look: {queries:,} timed inferences of a model; a figure to quote needs "
            f"{LEAST_QUERIES:,} and {LEAST_S:.0f} s (leave out --quick)."
        )


def _of_machine(machine: dict[str, Any]) -> Iterator[str]:
    # Only what was there before: afterwards the load is the benchmark's own.
    load = machine["before"]["load"]
    if is_busy(load, machine["cores"] or 1):
        yield f"The machine was busy before it began (load {load:.1f}): times are too long."

"""What one subject of a benchmark turned out to be, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge_fer.errors import ConfigError
from edge_fer.statistics import Bin, Interval

BASELINE, BUNDLE = "baseline", "bundle"


@dataclass(frozen=True, slots=True)
class Model:
    """What was executed."""

    format: str
    """`keras`, or the format of a bundle."""
    precision_asked: str
    """What the bundle's manifest promises."""
    precision_executed: str
    """What the runtime says it did."""
    runtime: str
    device: str
    threads: int
    """Threads the runtime was given, and cores its process was held to."""
    input_size: int
    """Side of the square face, in pixels."""
    size_bytes: int
    """Of the model's files; of the float32 weights for the baseline."""
    sha256: str
    """Of the bundle's manifest, or of the checkpoint."""
    parent: str | None
    """SHA-256 of the checkpoint that the bundle was made from."""
    int8_share: float | None = None
    """Share of the multiplications that ran on 8-bit integers; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process paid: batch 1, from the face's bytes to seven scores."""

    load_ms: float
    """Runtime imported, files verified, model ready; the file cache is warm."""
    first_ms: float
    """The first inference after loading."""
    peak_rss_bytes: int
    """Largest resident memory of the process, Python and runtime included; no GPU memory."""
    steady_rss_bytes: int | None
    """Resident memory after the timed inferences."""
    count: int
    """Timed inferences, warm-up dropped."""
    timed_s: float
    """Their sum."""
    p50_ms: float
    p90_ms: float
    p99_ms: float
    mean_ms: float
    deviation_ms: float
    """Standard deviation."""
    least_ms: float
    most_ms: float
    quantiles_ms: tuple[float, ...]
    """The 0th, 0.5th ... 100th percentile: 201 times that really occurred."""
    rounds_p50_ms: tuple[float, ...]
    """The median of each round."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many faces a second, one request after the other."""

    threads: int
    batch: int
    """Faces a request."""
    faces_per_s: float
    request_ms: float
    """Median time of a request."""


@dataclass(frozen=True, slots=True)
class Energy:
    """What the machine drew while this subject ran, idle power included."""

    joules_per_face: float
    watts: float
    source: str
    """The sensor that was read."""


@dataclass(frozen=True, slots=True)
class Corrupted:
    """Accuracy on the same faces after a camera's fault was drawn into them."""

    fault: str
    """One of `edge_fer.datasets.corruptions.CORRUPTIONS`."""
    faces: int
    accuracy: Interval
    difference: Interval | None
    """Paired, against the baseline under the same fault."""


@dataclass(frozen=True, slots=True)
class Versus:
    """A bundle beside the baseline, on the same faces."""

    is_parent: bool
    """The baseline is the checkpoint that the bundle was made from."""
    same_rounds: bool
    """The baseline was timed here in the same rounds; else it comes from a file."""
    speed: Interval | None
    """Median, least and greatest over the rounds of baseline p50 / bundle p50."""
    size: float
    """Baseline bytes / bundle bytes."""
    memory: float | None
    """Baseline peak memory / bundle peak memory; None where they are of two machines."""
    load: float | None
    """Baseline load time / bundle load time, likewise."""
    energy: float | None
    """Baseline joules a face / bundle joules a face, likewise."""
    agreement: Interval | None
    """Share of faces with the same label."""
    difference: Interval | None
    """Accuracy minus that of the baseline (Agresti and Min's interval)."""
    bootstrap: Interval | None
    """The same difference with the interval of a paired bootstrap."""
    f1_difference: Interval | None
    """Macro-F1 minus that of the baseline, paired bootstrap."""
    per_class: dict[str, Interval]
    """Label to recall minus that of the baseline."""
    mcnemar_p: float | None
    verdict: str | None
    """`within a point`, `worse` or `undecided`; None where there are too few labelled faces."""
    provisional: bool
    """The verdict rests on fewer than 1,000 labelled faces."""


@dataclass(frozen=True, slots=True)
class Result:
    """One subject of the benchmark."""

    name: str
    role: str
    """`baseline` or `bundle`."""
    failed: str | None = None
    """Why it could not be measured to the end."""
    model: Model | None = None
    cost: Cost | None = None
    rates: tuple[Rate, ...] = ()
    """Throughput by threads and by batch."""
    energy: Energy | None = None
    accuracy: dict[str, Any] | None = None
    """As `edge_fer.statistics.summary` gives it."""
    reliability: tuple[Bin, ...] = ()
    corruptions: tuple[Corrupted, ...] = ()
    answers: str | None = None
    """The best class of each face, one digit a face in `Emotion` order."""
    right: str | None = None
    """`1` for each face that was answered rightly, else `0`: what pairs two runs."""
    versus: Versus | None = None


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """Which faces went through every subject."""

    data: str | None
    """Dataset spec; None for faces that the caller handed in without labels."""
    split: str | None
    count: int
    labelled: bool
    sha256: str | None
    """Of the list of names and labels."""
    per_class: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How latency is measured; the same for every subject."""

    rounds: int = 20
    queries: int = 52
    """Least timed inferences of each subject a round."""
    turn_s: float = 3.0
    """Least seconds of them."""
    warmup: int = 30
    """Inferences after the first one that are dropped."""
    settle: int = 3
    """Inferences dropped at the start of each turn: caches hold what ran before."""
    seed: int = 1
    """Of the order of subjects, drawn anew for each round."""
    rate_s: float = 3.0
    """Seconds of each throughput measurement; 0 leaves throughput out."""

    def __post_init__(self) -> None:
        if min(self.rounds, self.queries) < 1:
            raise ConfigError(f"{self}: rounds and queries are at least 1")
        if min(self.warmup, self.settle, self.turn_s, self.rate_s) < 0:
            raise ConfigError(f"{self}: warm-up and times are at least 0")


STANDARD = Settings()
"""1,040 inferences and 60 s of each subject or more: MLPerf's single-stream asks 1,024 and 60."""
QUICK = Settings(rounds=5, queries=10, turn_s=0.0, warmup=10, rate_s=0.0)
"""Fifty timed inferences: a look, no proof."""

"""What a benchmark found, as frozen values and as JSON.

`report.json` has the schema `edge-fer/bench/1`: the fields of `Report` below, nested as they are
declared, with `null` for whatever was not measured. Intervals are `{"value", "low", "high"}`.
Times are milliseconds, sizes bytes, ratios such that more is better. New fields may be added; a
field that changes its meaning raises the number.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from edge_fer.errors import BadData, ConfigError
from edge_fer.statistics import Interval

SCHEMA = "edge-fer/bench/1"
BASELINE, BUNDLE = "baseline", "bundle"


@dataclass(frozen=True, slots=True)
class Model:
    """What was executed."""

    format: str
    """`keras`, `tflite` or `openvino`."""
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


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process paid: batch 1, from the face's bytes to seven scores."""

    load_ms: float
    """Runtime imported, files verified, model ready; the file cache is warm."""
    first_ms: float
    """The first inference after loading."""
    peak_rss_bytes: int
    """Largest resident memory of the process, Python and runtime included; no GPU memory."""
    count: int
    """Timed inferences, warm-up dropped."""
    p50_ms: float
    p90_ms: float
    p99_ms: float
    mean_ms: float
    deviation_ms: float
    """Standard deviation."""
    least_ms: float
    most_ms: float
    rounds_ms: tuple[tuple[float, ...], ...]
    """Every timed inference, by round."""


@dataclass(frozen=True, slots=True)
class Versus:
    """A bundle beside the baseline: on the same faces, and in the same rounds."""

    is_parent: bool
    """The baseline is the checkpoint that the bundle was made from."""
    speed: Interval | None
    """Median, least and greatest over the rounds of baseline p50 / bundle p50."""
    size: float
    """Baseline bytes / bundle bytes."""
    memory: float | None
    """Baseline peak memory / bundle peak memory."""
    load: float | None
    """Baseline load time / bundle load time."""
    agreement: Interval | None
    """Share of faces with the same label."""
    difference: Interval | None
    """Accuracy minus that of the baseline."""
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
    accuracy: dict[str, Any] | None = None
    """As `edge_fer.statistics.summary` gives it."""
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
    queries: int = 25
    """Timed inferences of each subject a round."""
    warmup: int = 30
    """Inferences after the first one that are dropped."""
    settle: int = 3
    """Inferences dropped at the start of each block: caches hold what ran before."""
    seed: int = 1
    """Of the order of subjects, drawn anew for each round."""

    def __post_init__(self) -> None:
        if min(self.rounds, self.queries) < 1 or min(self.warmup, self.settle) < 0:
            raise ConfigError(f"{self}: rounds and queries are at least 1, the others at least 0")


STANDARD = Settings()
"""500 timed inferences of each subject."""


@dataclass(frozen=True, slots=True)
class Report:
    """The whole result; `exit_status` is that of the command."""

    made: str
    """UTC, ISO 8601."""
    edge_fer: str
    """Version."""
    faces: FaceFacts
    settings: Settings
    results: tuple[Result, ...]
    """The baseline first."""
    machine: dict[str, Any]
    """As `benchmarks.machine.facts` gives it, with `before` and `after`."""
    notes: tuple[str, ...] = ()
    """What a reader must know before quoting a figure."""
    schema: str = SCHEMA

    @property
    def baseline(self) -> Result | None:
        """The full-precision model, where one took part."""
        return next((r for r in self.results if r.role == BASELINE), None)

    @property
    def bundles(self) -> tuple[Result, ...]:
        """All but the baseline."""
        return tuple(r for r in self.results if r.role == BUNDLE)

    @property
    def exit_status(self) -> int:
        """1 if a subject failed."""
        return int(any(result.failed for result in self.results))

    def to_json(self) -> str:
        """The text of `report.json`."""
        record = asdict(self)
        return json.dumps({"schema": record.pop("schema"), **record}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The inverse of `to_json`; raises BadData for anything else."""
        try:
            record = json.loads(text)
        except ValueError as error:
            raise BadData(f"report: not JSON ({error}); run `edge-fer bench` again") from error
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            raise BadData(f"report: not of the schema {SCHEMA}; run `edge-fer bench` again")
        try:
            report: Report = _read(cls, record)
        except (TypeError, KeyError, AttributeError) as error:
            raise BadData(f"report: {error}; run `edge-fer bench` again") from error
        return report


def _read(kind: Any, value: Any) -> Any:
    """A JSON value as the declared type: dataclasses, tuples and optional ones of them."""
    if get_origin(kind) is UnionType:
        kinds = [k for k in get_args(kind) if k is not NoneType]
        return None if value is None else _read(kinds[0], value)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        known = {f.name for f in fields(kind)}
        return kind(**{k: _read(hints[k], v) for k, v in value.items() if k in known})
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], item) for item in value)
    return value

"""The full-precision baseline as a file, so that boards are paired with it face by face.

The schema is `edge-fer/baseline/1` (`baseline.schema.json` beside this file): the fields of
`BaselineFile`, nested as they are declared, `null` for whatever was not measured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reading import read
from benchmarks.records import BASELINE, Cost, FaceFacts, Model, Rate, Settings
from benchmarks.results import Measured
from edge_fer.bundle import MANIFEST
from edge_fer.emotions import LABELS
from edge_fer.errors import BadData, ConfigError, NotFound

SCHEMA = "edge-fer/baseline/1"
MAKE = "make one with `edge-fer bench baseline --data SPEC --out FILE`"


@dataclass(frozen=True, slots=True)
class Pass:
    """One precision on one device."""

    model: Model
    cost: Cost
    """Of single faces."""
    batches: tuple[Rate, ...]
    """Doubled until more faces at once no longer help."""
    best_batch: int
    """The one that gives the most faces a second."""
    gpu_peak_bytes: int | None
    """Largest memory taken on the GPU."""
    accuracy: dict[str, Any]
    """As `edge_fer.statistics.summary` gives it."""
    scores: tuple[tuple[float, ...], ...]
    """Seven probabilities a face, in the order of the face list; empty for mixed precision."""
    answers: str
    """The best class of each face, one digit a face."""


@dataclass(frozen=True, slots=True)
class BaselineFile:
    """The parent, measured once on the machine that is best at it."""

    made: str
    """UTC, ISO 8601."""
    edge_fer: str
    """Version."""
    checkpoint: str
    """SHA-256 of what decides its answers."""
    backend: str
    """`tensorflow`, `jax` or `torch`."""
    device: str
    """`CPU`, or the GPU's own name after `GPU`."""
    gpu_memory_bytes: int | None
    faces: FaceFacts
    settings: Settings
    passes: tuple[Pass, ...]
    """Full precision first; the device's mixed precision second, where it has one."""
    machine: dict[str, Any]
    """As `benchmarks.machine.facts` gives it, with `before` and `after`."""
    corruptions: dict[str, str] = field(default_factory=dict)
    """Fault to answers in full precision, one digit a face."""
    invalid: str | None = None
    """Why the times must not be quoted."""
    schema: str = SCHEMA

    @property
    def full(self) -> Pass:
        """Full precision."""
        return self.passes[0]

    @property
    def place(self) -> str:
        """The machine's name."""
        named = self.machine.get("board") or self.machine.get("cpu") or "another machine"
        return self.device if self.device != "CPU" else f"{named} (CPU)"

    def to_json(self) -> str:
        """The text of the file."""
        record = asdict(self)
        return json.dumps({"schema": record.pop("schema"), **record}) + "\n"

    def measured(self) -> Measured:
        """As a subject that took no part here."""
        digits = {fault: _classes(text) for fault, text in self.corruptions.items()}
        return Measured(
            f"full precision ({self.place})",
            BASELINE,
            model=self.full.model,
            known_cost=self.full.cost,
            scores=np.array(self.full.scores, np.float32),
            corrupted=digits,
        )


def load(path: Path) -> BaselineFile:
    """Read a baseline; raises NotFound or BadData naming the file."""
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no baseline here; {MAKE}") from error
    except (OSError, ValueError) as error:
        raise BadData(f"{path}: cannot be read as a baseline ({error}); {MAKE}") from error
    try:
        record = json.loads(text)
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            raise BadData(f"{path}: not of the schema {SCHEMA}; {MAKE}")
        found: BaselineFile = read(BaselineFile, record)
        _check(found)
    except (TypeError, LookupError, AttributeError, ValueError) as error:
        if isinstance(error, BadData):
            raise
        raise BadData(f"{path}: damaged ({error}); {MAKE}") from error
    return found


def check(found: BaselineFile, path: Path, faces: FaceFacts, bundles: Iterable[Path]) -> None:
    """Raise ConfigError unless it is of these faces and of the bundles' own parent."""
    if faces.sha256 is None:
        raise ConfigError(f"{path}: a baseline is paired face by face: give its --data too")
    if faces.sha256 != found.faces.sha256:
        raise ConfigError(
            f"{path}: is of other faces ({_told(found.faces)}) than these ({_told(faces)}); give "
            "the --data, --split and --limit that it was made with, or make another"
        )
    for bundle in bundles:
        parent = parent_of(bundle)
        if parent not in (None, found.checkpoint):
            raise ConfigError(
                f"{path}: is of the checkpoint {found.checkpoint[:12]}, but {bundle} was made from "
                f"{parent[:12] if parent else '?'}; make a baseline of that one"
            )


def parent_of(bundle: Path) -> str | None:
    """What a manifest names as parent; None where it cannot be read: its own check will say so."""
    try:
        return str(json.loads((bundle / MANIFEST).read_bytes())["parent"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fingerprint(path: Path, *records: str) -> str:
    """SHA-256 of the first of these files in a folder; empty where there is none."""
    for record in records:
        if (path / record).is_file():
            return hashlib.sha256((path / record).read_bytes()).hexdigest()
    return ""


def _check(found: BaselineFile) -> None:
    count = found.faces.count
    shapes = {len(row) for row in found.full.scores}
    told = [found.full.answers, *found.corruptions.values()]
    if len(found.full.scores) != count or shapes != {len(LABELS)}:
        raise ValueError(f"{len(found.full.scores)} rows of scores for {count} faces")
    if any(len(text) != count or not set(text) <= set("0123456") for text in told):
        raise ValueError(f"answers that are not {count} classes")


def _classes(text: str) -> np.ndarray:
    return np.array(list(text), np.int64)


def _told(faces: FaceFacts) -> str:
    return f"{faces.data} {faces.split}, {faces.count:,} faces, list {str(faces.sha256)[:12]}"

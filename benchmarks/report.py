"""A whole benchmark, as frozen values and as JSON.

`report.json` has the schema `edge-fer/bench/2` (`bench.schema.json` beside this file): the fields
of `Report` below, nested as they are declared, with `null` for whatever was not measured. Intervals
are `{"value", "low", "high"}`. Times are milliseconds, sizes bytes, ratios such that more is
better. New fields may be added; a field that changes its meaning raises the number.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.reading import read
from benchmarks.records import BASELINE, BUNDLE, FaceFacts, Result, Settings
from edge_fer.errors import BadData

SCHEMA = "edge-fer/bench/2"


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
    baseline_machine: str | None = None
    """Where the baseline's file was made, if it comes from one."""
    invalid: str | None = None
    """Why the times must not be quoted, such as a throttled processor."""
    sittings: int = 1
    """Runs it took: an interrupted one goes on where it was."""
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
    def place(self) -> str:
        """The machine's name: no absolute time is said without it."""
        named = self.machine.get("board") or self.machine.get("cpu") or "this machine"
        return f"{named}, {self.machine.get('cores_allowed') or '?'} cores"

    @property
    def exit_status(self) -> int:
        """1 if a subject failed."""
        return int(any(result.failed for result in self.results))

    def to_json(self) -> str:
        """The text of `report.json`."""
        record = asdict(self)
        return json.dumps({"schema": record.pop("schema"), **record}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str = "report") -> Report:
        """The inverse of `to_json`; raises BadData naming `name` for anything else."""
        try:
            record = json.loads(text)
        except ValueError as error:
            raise BadData(f"{name}: not JSON ({error}); run `edge-fer bench` again") from error
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            raise BadData(f"{name}: not of the schema {SCHEMA}; run `edge-fer bench` again")
        try:
            report: Report = read(cls, record)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise BadData(f"{name}: {error}; run `edge-fer bench` again") from error
        return report

"""What a check found: frozen values, their JSON, and the lines that a person reads.

The JSON has the schema `edge-fer/data-check/1`: the fields of `Report`, nested as declared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge_fer.emotions import LABELS
from edge_fer.storage import write_file

SCHEMA = "edge-fer/data-check/1"


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """One split."""

    name: str
    origin: str = ""
    """Whose split it is."""
    faces: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    """Label to number of faces; empty where the split could not be read."""
    subjects: int = 0
    """0 where they are not known."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows that the reader left out, by reason."""
    fault: str | None = None
    """Why the split could not be read."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Faces that belong together."""

    groups: int
    faces: int
    across_splits: int
    """Groups that stand in several splits."""
    conflicting: int
    """Groups whose faces do not all have the same label."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that `--strict` refuses."""

    kind: str
    count: int
    text: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    data: str
    """The spec."""
    splits: tuple[SplitFacts, ...]
    sizes: dict[str, int]
    """The most frequent sizes of faces, such as 48x48, and how many have them."""
    exact: Groups
    near: Groups | None
    """Faces that look alike without being equal; None where nobody looked."""
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return {"schema": SCHEMA, **asdict(self)}

    def lines(self) -> Iterator[str]:
        """The text for a terminal."""
        yield self.data
        yield from _table(self.splits)
        yield f"  sizes: {', '.join(f'{size} ({n:,})' for size, n in self.sizes.items()) or 'none'}"
        yield f"  pixel-identical faces: {_told(self.exact)}"
        yield f"  faces that look alike: {_told(self.near) if self.near else 'not looked for'}"
        yield f"  wrong: {'' if self.problems else 'nothing'}".rstrip()
        for problem in self.problems:
            yield f"  - {problem.count:,} {problem.text}"
            yield from (f"      {example}" for example in problem.examples)


def write(target: Path, reports: Sequence[Report]) -> None:
    """A JSON array of reports, whole or not at all; raises StorageError."""
    records = [report.to_json() for report in reports]
    write_file(target, (json.dumps(records, indent=1) + "\n").encode())


def _told(groups: Groups) -> str:
    return (
        f"{groups.groups:,} groups of {groups.faces:,} faces, {groups.across_splits:,} of them "
        f"across splits, {groups.conflicting:,} with conflicting labels"
    )


def _table(splits: tuple[SplitFacts, ...]) -> Iterator[str]:
    rows = [("split", "faces", *LABELS, "subjects", "dropped"), *map(_row, splits)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        name, *numbers = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        yield f"  {name.strip().ljust(widths[0])}  {'  '.join(numbers)}"
    for split in splits:
        yield from _remarks(split)


def _row(split: SplitFacts) -> tuple[str, ...]:
    counts = (f"{split.classes.get(label, 0):,}" for label in LABELS)
    subjects = f"{split.subjects:,}" if split.subjects else "-"
    return (split.name, f"{split.faces:,}", *counts, subjects, f"{sum(split.dropped.values()):,}")


def _remarks(split: SplitFacts) -> Iterator[str]:
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in split.dropped.items())
    told = f"could not be read: {split.fault}" if split.fault else split.origin
    yield f"  {split.name}: {told}" + (f"; dropped: {dropped}" if dropped else "")

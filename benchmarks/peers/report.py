"""The peers beside our bundles, as JSON, as Markdown and as a page.

`peers.json` has the schema `edge-fer/peers/1`: the fields of `PeerReport`, nested as they are
declared, with `null` for whatever was not measured. New fields may be added; a field that changes
its meaning raises the number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import is_busy
from benchmarks.markdown import aligned, table_lines
from benchmarks.peers.clip import ClipFacts
from benchmarks.peers.page import page
from benchmarks.peers.results import PeerResult
from benchmarks.peers.tables import absent, side_by_side, watching
from benchmarks.records import BUNDLE, FaceFacts
from edge_fer.storage import write_file

SCHEMA = "edge-fer/peers/1"
TITLE = "edge-fer beside other packages"


@dataclass(frozen=True, slots=True)
class PeerReport:
    """All of them; `exit_status` is that of the command."""

    made: str
    """UTC, ISO 8601."""
    edge_fer: str
    """Version."""
    faces: FaceFacts
    clip: ClipFacts
    machine: dict[str, Any]
    """As `benchmarks.machine.facts` gives it, with `before` and `after`."""
    results: tuple[PeerResult, ...]
    """Our bundles first."""
    invalid: str | None = None
    """Why the times must not be quoted, such as a throttled processor."""
    schema: str = SCHEMA

    @property
    def exit_status(self) -> int:
        """1 if a bundle failed; a peer that cannot be run is listed with the reason."""
        return int(
            any((r.failed or (r.clip and r.clip.failed)) and r.role == BUNDLE for r in self.results)
        )

    def write(self, folder: Path) -> None:
        """`peers.json`, `peers.md` and `peers.html`; raises StorageError."""
        text = json.dumps(asdict(self), indent=1) + "\n"
        shown = page(TITLE, self.line(), tuple(self.notes()), self.results, self.clip, self.invalid)
        write_file(folder / "peers.json", text.encode())
        write_file(folder / "peers.md", self.markdown().encode())
        write_file(folder / "peers.html", shown.encode())

    def plain(self) -> str:
        """For a terminal."""
        tables = (side_by_side(self.results), watching(self.results, self.clip))
        lines = [line for table in tables for line in (*aligned(table), "")]
        return "\n".join([*lines, *self.notes(), *absent(self.results)])

    def markdown(self) -> str:
        """GitHub-flavoured Markdown."""
        lines = [
            f"# {TITLE}",
            f"\n{self.line()}\n",
            *(f"- **Note:** {note}" for note in self.notes()),
            *table_lines(side_by_side(self.results)),
            *table_lines(watching(self.results, self.clip)),
            "\n## Notes\n",
            *(f"- {r.name}: {r.told}" for r in self.results if r.told),
            "\n## Not run\n",
            *(f"- {line}" for line in absent(self.results) or ["none"]),
        ]
        return "\n".join(lines) + "\n"

    def line(self) -> str:
        """When, where, and on which faces."""
        place = self.machine.get("board") or self.machine.get("cpu")
        before, after = (self.machine[moment]["load"] for moment in ("before", "after"))
        return (
            f"Made {self.made} on {place}, {self.machine['cores_allowed']} cores, load {before} "
            f"before and {after} after, on {self.faces.count:,} faces of {self.faces.data} "
            f"({self.faces.split}, list {str(self.faces.sha256)[:12]})."
        )

    def notes(self) -> Iterator[str]:
        """What must be known before a figure is quoted."""
        if self.invalid:
            yield f"INVALID: {self.invalid}: the times must not be quoted."
        load = self.machine["before"]["load"]
        if is_busy(load, self.machine["cores"] or 1):
            yield f"The machine was busy before it began (load {load:.1f}): times are too long."

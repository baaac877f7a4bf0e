"""The peers beside our bundles, as JSON and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cells import MISSING, Cell, Table, interval, maybe
from benchmarks.markdown import aligned, table_lines
from benchmarks.records import Cost, FaceFacts
from benchmarks.words import megabytes, number, percent, percent_range, points, points_range, times
from edge_fer.statistics import Interval
from edge_fer.storage import write_file

SCHEMA = "edge-fer/peers/1"


@dataclass(frozen=True, slots=True)
class PeerResult:
    """One package, or one of our bundles, on the same faces."""

    name: str
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


@dataclass(frozen=True, slots=True)
class PeerReport:
    """All of them."""

    made: str
    edge_fer: str
    faces: FaceFacts
    machine: dict[str, Any]
    results: tuple[PeerResult, ...]
    schema: str = SCHEMA

    def write(self, folder: Path) -> None:
        """`peers.json` and `peers.md`; raises StorageError."""
        text = json.dumps(asdict(self), indent=1) + "\n"
        write_file(folder / "peers.json", text.encode())
        write_file(folder / "peers.md", self.markdown().encode())

    def plain(self) -> str:
        """For a terminal."""
        return "\n".join([*aligned(self.table()), "", *self.absent()])

    def markdown(self) -> str:
        """GitHub-flavoured Markdown."""
        place = self.machine.get("board") or self.machine.get("cpu")
        before, after = (self.machine[moment]["load"] for moment in ("before", "after"))
        lines = [
            "# edge-fer beside other packages",
            f"\nMade {self.made} on {place}, {self.machine['cores_allowed']} cores, load {before} "
            f"before and {after} after, on {self.faces.count:,} faces of {self.faces.data} "
            f"({self.faces.split}, list {str(self.faces.sha256)[:12]}).",
            *table_lines(self.table()),
            "\n## Notes\n",
            *(f"- {r.name}: {r.told}" for r in self.results if r.told),
            "\n## Not run\n",
            *(f"- {line}" for line in self.absent() or ["none"]),
        ]
        return "\n".join(lines) + "\n"

    def absent(self) -> list[str]:
        """One line for each that was not run."""
        return [f"{r.name}: {r.failed}" for r in self.results if r.failed]

    def table(self) -> Table:
        """Those that were run."""
        header = (
            "Package", "Accuracy", "Difference", "Macro-F1", "Times our p50", "p50", "p90",
            "Start to first answer", "Peak memory", "Installed",
        )  # fmt: skip
        caption = (
            "One face at a time on the same cores and faces, interleaved rounds; times in "
            "milliseconds. Differences are paired with the first row."
        )
        rows = tuple(_row(r) for r in self.results if not r.failed)
        return Table("Side by side", caption, header, rows)


def _row(r: PeerResult) -> tuple[Cell, ...]:
    cost = r.cost
    return (
        Cell(r.name),
        interval(r.accuracy, percent, percent_range),
        interval(r.difference, points, points_range) if r.difference else Cell("", "reference"),
        maybe(r.macro_f1, lambda f1: f"{f1:.3f}"),
        maybe(r.speed, times),
        *((Cell(number(ms)) for ms in (cost.p50_ms, cost.p90_ms)) if cost else (MISSING,) * 2),
        maybe(r.start_s, lambda s: f"{s:.1f} s"),
        Cell(megabytes(cost.peak_rss_bytes)) if cost else MISSING,
        maybe(r.installed_bytes, megabytes),
    )


def known_files(files: Path | None, wanted: Sequence[str]) -> list[str]:
    """The wanted files that the folder lacks."""
    return [name for name in wanted if files is None or not (files / name).is_file()]

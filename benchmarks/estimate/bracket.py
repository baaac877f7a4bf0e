"""Does the estimator hold where it can be checked? Peaks of this machine against a report of it.

    edge-fer bench ... --out FOLDER
    OPENBLAS_NUM_THREADS=1 python -m benchmarks.estimate.here > FOLDER/peaks.json
    python -m benchmarks.estimate.bracket [FOLDER]

exits with 1 when a measured p50 lies outside the range of its precision.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.estimate.command import layers_of_checkpoint
from benchmarks.estimate.here import described
from benchmarks.estimate.roofline import Estimate, estimate
from benchmarks.report import Report
from benchmarks.words import number
from edge_fer.training.checkpoint import SHIPPED

PEAKS = "peaks.json"
REFERENCE = Path(__file__).resolve().parent.parent / "reference" / "epyc-2-cores"


@dataclass(frozen=True, slots=True)
class Checked:
    """One measured bundle and its range."""

    name: str
    measured_ms: float
    estimate: Estimate

    @property
    def holds(self) -> bool:
        """The range has the measured time inside."""
        return self.estimate.holds(self.measured_ms)

    def line(self) -> str:
        """For a person."""
        low, high = number(self.estimate.low_ms), number(self.estimate.high_ms)
        word = "inside" if self.holds else "OUTSIDE"
        return f"{self.name}: p50 {number(self.measured_ms)} ms, {word} {low} to {high} ms"


def check(folder: Path, checkpoint: Path = SHIPPED) -> Iterator[Checked]:
    """Every bundle of a folder's report whose precision is estimated; raises BadData."""
    report = Report.from_json((folder / "report.json").read_text(), str(folder))
    peaks = json.loads((folder / PEAKS).read_text())
    for result in report.bundles:
        if result.cost and result.model:
            layers = layers_of_checkpoint(checkpoint, result.model.input_size)
            for device in described(peaks, result.model.threads):
                if device.precision == result.model.precision_executed:
                    yield Checked(result.name, result.cost.p50_ms, estimate(layers, device))


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=REFERENCE, help="omitted: ours")
    folder = parser.parse_args().folder
    for name in ("report.json", PEAKS):
        if not (folder / name).is_file():
            sys.exit(f"{folder / name}: no such file; how to make it: --help")
    found = list(check(folder))
    print("\n".join(one.line() for one in found))
    sys.exit(0 if found and all(one.holds for one in found) else 1)


if __name__ == "__main__":
    main()

"""Every bundle in every environment that it is meant for: the same labels as here, or exit 1.

    python tests/compat BUNDLE... [--count 200]

An environment whose Python is not on this machine is skipped aloud.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from environments import ENVIRONMENTS, Environment, build
from faces import faces

from edge_fer.bundle import Bundle, open_bundle
from edge_fer.engines import open_engine
from edge_fer.engines.myriad_home import VARIABLE
from edge_fer.errors import EdgeFerError
from edge_fer.types import FaceBatch, ScoreBatch

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Cell:
    """One bundle in one environment."""

    text: str
    good: bool = True
    note: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=200)
    asked = parser.parse_args()
    skipped = {}
    for environment in ENVIRONMENTS:
        print(f"building {environment.name}", flush=True)
        if reason := build(environment):
            skipped[environment.name] = reason
            print(f"SKIPPED {environment.name}: {reason}", flush=True)
    rows = [row(open_bundle(path), asked.count, skipped) for path in asked.bundles]
    show(asked.bundles, rows, asked.count)
    sys.exit(0 if all(cell.good for row in rows for cell in row) else 1)


def row(bundle: Bundle, count: int, skipped: dict[str, str]) -> list[Cell]:
    """A bundle's cells, one for each environment."""
    name, pictures = faces(count, bundle.manifest.input_size)
    print(f"{bundle.path}: {len(pictures)} faces, {name}", flush=True)
    wanted = here(bundle, pictures)
    return [cell(bundle, pictures, wanted, e, skipped) for e in ENVIRONMENTS]


def here(bundle: Bundle, pictures: FaceBatch) -> ScoreBatch:
    """What our engine says in this environment: the one whose answers the gate judged."""
    if bundle.manifest.format == "ncs":
        # Its engine has one environment alone; the float32 sibling of the same parent judges it.
        bundle = open_bundle(bundle.path.with_name("xception-fp32-openvino"))
    return open_engine(bundle, threads=2).infer(pictures)


def cell(
    bundle: Bundle,
    pictures: FaceBatch,
    wanted: ScoreBatch,
    environment: Environment,
    skipped: dict[str, str],
) -> Cell:
    if not environment.meant_for(bundle.manifest):
        return Cell("")
    if environment.name in skipped:
        return Cell("skipped")
    with tempfile.TemporaryDirectory() as scratch:
        given, made = Path(scratch) / "faces.npz", Path(scratch) / "scores.npy"
        np.savez(given, faces=pictures)
        done = run(environment, bundle, given, made)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"  {environment.name}: FAILED {last}", flush=True)
            return Cell("FAILED", good=False)
        said, scores = json.loads(done.stdout.splitlines()[-1]), np.load(made)
    return compared(environment, scores, wanted, said)


def run(
    environment: Environment, bundle: Bundle, given: Path, made: Path
) -> subprocess.CompletedProcess[str]:
    python = environment.interpreter
    settings = dict(os.environ)
    if environment.runner == "run_stick.py":
        python, settings[VARIABLE] = Path(sys.executable), str(environment.folder)
    command = [python, "-I", HERE / environment.runner, bundle.path, given, made]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=settings)


def compared(
    environment: Environment, scores: ScoreBatch, wanted: ScoreBatch, said: dict[str, str]
) -> Cell:
    same = scores.argmax(1) == wanted.argmax(1)
    apart = float(np.abs(scores - wanted).max())
    text = f"{same.sum()}/{len(same)}"
    print(
        f"  {environment.name}: {text} labels as here, scores at most {apart:.2g} apart; "
        f"{', '.join(said.values())}",
        flush=True,
    )
    for face in np.flatnonzero(~same):
        best = np.sort(wanted[face])[::-1]
        print(f"    face {face}: here {best[0]:.3f} before {best[1]:.3f}", flush=True)
    return Cell(text, bool(same.all()))


def show(bundles: list[Path], rows: list[list[Cell]], count: int) -> None:
    """The matrix as Markdown."""
    print(f"\nLabels as here, of {count} faces, {date.today()}:\n")
    print("| bundle |" + "|".join(f" {e.name} " for e in ENVIRONMENTS) + "|")
    print("|---" * (len(ENVIRONMENTS) + 1) + "|")
    for path, cells in zip(bundles, rows, strict=True):
        print(f"| {path.name} |" + "|".join(f" {cell.text} " for cell in cells) + "|")


if __name__ == "__main__":
    try:
        main()
    except EdgeFerError as error:
        sys.exit(f"compat: {error}")

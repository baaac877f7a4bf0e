"""Every bundle in every environment that it is meant for: the same labels as here, or exit 1.

    python tests/compat [BUNDLE...] [--count 200] [--only NAME...]

Without bundles, all formats and precisions are converted from the shipped checkpoint first. An
environment whose Python is not on this machine is skipped aloud. Ties are counted and shown.
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
from environments import CACHE, ENVIRONMENTS, STICK, Environment, build
from faces import faces
from labels import same_labels

from edge_fer.bundle import Bundle, open_bundle
from edge_fer.engines import open_engine
from edge_fer.engines.myriad_home import VARIABLE
from edge_fer.errors import EdgeFerError
from edge_fer.types import FaceBatch, ScoreBatch

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Cell:
    """One bundle in one environment."""

    text: str
    good: bool = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", type=Path, nargs="*")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of the environments")
    asked = parser.parse_args()
    chosen = [e for e in ENVIRONMENTS if not asked.only or e.name in asked.only]
    skipped = {}
    for environment in chosen:
        print(f"building {environment.name}", flush=True)
        if reason := build(environment):
            skipped[environment.name] = reason
            print(f"SKIPPED {environment.name}: {reason}", flush=True)
    paths = asked.bundles or converted(with_stick=STICK.name not in skipped)
    rows = [row(open_bundle(path), chosen, asked.count, skipped) for path in paths]
    show(paths, chosen, rows, asked.count)
    sys.exit(0 if all(cell.good for cells in rows for cell in cells) else 1)


def converted(with_stick: bool) -> list[Path]:
    """All formats and precisions of the shipped checkpoint, by the command."""
    out = CACHE / "bundles"
    formats = [f"--format={name}" for name in ("tflite", "openvino", "onnx")]
    orders = [["--fp32", "--fp16", "--int8", *formats]]
    orders += [["--target", "ncs"]] if with_stick else []
    for order in orders:
        command = [sys.executable, "-m", "edge_fer.cli", "convert", *order, "--out", out]
        subprocess.run(command, check=True, env={**os.environ, VARIABLE: str(STICK.folder)})
    return sorted(path.parent for path in out.glob("*/manifest.json"))


def row(
    bundle: Bundle, environments: list[Environment], count: int, skipped: dict[str, str]
) -> list[Cell]:
    """A bundle's cells, one for each environment."""
    name, pictures = faces(count, bundle.manifest.input_size)
    print(f"{bundle.path}: {len(pictures)} faces, {name}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        given, made = Path(scratch) / "faces.npz", Path(scratch) / "scores.npy"
        np.savez(given, faces=pictures)
        wanted = here(bundle, pictures, given, made)
        return [cell(bundle, wanted, e, given, made, skipped) for e in environments]


def here(bundle: Bundle, pictures: FaceBatch, given: Path, made: Path) -> ScoreBatch:
    """What our engine says in this environment: its answers are those that the gate judged.

    The stick's model has an engine in one environment alone: today's OpenVINO judges it.
    """
    if bundle.manifest.format != "ncs":
        return open_engine(bundle, threads=1, device="CPU").infer(pictures)
    started(Path(sys.executable), "run_openvino.py", bundle, given, made).check_returncode()
    return np.asarray(np.load(made))


def cell(
    bundle: Bundle,
    wanted: ScoreBatch,
    environment: Environment,
    given: Path,
    made: Path,
    skipped: dict[str, str],
) -> Cell:
    if not environment.meant_for(bundle.manifest):
        return Cell("")
    if environment.name in skipped:
        return Cell("skipped")
    made.unlink(missing_ok=True)
    python = Path(sys.executable) if environment is STICK else environment.interpreter
    runner = environment.runner
    if bundle.manifest.format == "ncs" and environment is not STICK:
        runner = "run_openvino.py"
    done = started(python, runner, bundle, given, made)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"  {environment.name}: FAILED {last}", flush=True)
        return Cell("FAILED", good=False)
    return compared(environment, np.load(made), wanted, json.loads(done.stdout.splitlines()[-1]))


def started(
    python: Path, runner: str, bundle: Bundle, given: Path, made: Path
) -> subprocess.CompletedProcess[str]:
    command = [python, "-I", HERE / runner, bundle.path, given, made]
    settings = {**os.environ, VARIABLE: str(STICK.folder)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=settings)


def compared(
    environment: Environment, scores: ScoreBatch, wanted: ScoreBatch, said: dict[str, str]
) -> Cell:
    text, good, lines = same_labels(scores, wanted)
    apart = float(np.abs(scores - wanted).max())
    print(
        f"  {environment.name}: {text} labels as here, scores at most {apart:.2g} apart; "
        f"{', '.join(said.values())}",
        flush=True,
    )
    for line in lines:
        print(f"    {line}", flush=True)
    return Cell(text, good)


def show(
    bundles: list[Path], environments: list[Environment], rows: list[list[Cell]], count: int
) -> None:
    """The matrix as Markdown."""
    print(f"\nLabels as here, of {count} faces, {date.today()}:\n")
    print("| bundle |" + "|".join(f" {e.name} " for e in environments) + "|")
    print("|---" * (len(environments) + 1) + "|")
    for path, cells in zip(bundles, rows, strict=True):
        print(f"| {path.name} |" + "|".join(f" {c.text} " for c in cells) + "|")


if __name__ == "__main__":
    try:
        main()
    except EdgeFerError as error:
        sys.exit(f"compat: {error}")

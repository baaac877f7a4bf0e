"""What a device pays: size of its install, time to the first prediction, peak memory.

    python -m benchmarks.device BUNDLE [--python python3] [--runs 7]

A fresh environment gets the base dependencies and the detector's model and nothing else (no
TensorFlow, no OpenVINO: that is checked), then `edge-fer run` is started on drawn faces
as often as asked.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_fer.detectors.blazeface import PACKAGE
from edge_fer.errors import EdgeFerError, EngineError

WORKSHOP = ("tensorflow", "keras", "openvino", "nncf", "ai-edge-quantizer", "torch", "jax")
"""What a device must not need."""
CONSTRAINTS = Path(__file__).parent.parent / "deploy" / "constraints.txt"


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the daemon."""

    first_prediction_s: float
    """From the start of the process to the first event that names a face."""
    peak_rss_bytes: int


def install(folder: Path, python: str, project: Path) -> Path:
    """A fresh environment with the device's packages; returns its `bin`."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", str(CONSTRAINTS), str(project)], check=True)
    subprocess.run([*pip, "--no-deps", PACKAGE], check=True)
    return folder / "bin"


def packages(binaries: Path) -> dict[str, int]:
    """Distribution to bytes on disk; raises EngineError when the workshop came along."""
    site = next(binaries.parent.glob("lib/python*/site-packages"))
    sizes = {
        str(found.metadata["Name"]): sum(
            Path(str(found.locate_file(f))).stat().st_size
            for f in found.files or ()
            if Path(str(found.locate_file(f))).is_file()
        )
        for found in metadata.distributions(path=[str(site)])
    }
    workshop = sorted(set(WORKSHOP) & {name.lower() for name in sizes})
    if workshop:
        raise EngineError(f"the device install brings {', '.join(workshop)}")
    return {name: size for name, size in sizes.items() if name not in ("pip", "setuptools")}


def start(binaries: Path, bundle: Path) -> Start:
    """Start the daemon, wait for the first face, let it end by itself."""
    command = [str(binaries / "edge-fer"), "run", "--camera", "synthetic:", "--events", "30"]
    began = time.monotonic()
    command += ["--bundle", str(bundle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = None
        for line in child.stdout:
            if first is None and json.loads(line).get("faces"):
                first = time.monotonic() - began
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode or first is None:
        raise EngineError(f"edge-fer run ended with {child.returncode} and found no face")
    return Start(first, usage.ru_maxrss * 1024)


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args()
    project = Path(__file__).resolve().parent.parent
    with TemporaryDirectory() as scratch:
        try:
            binaries = install(Path(scratch) / "device", asked.python, project)
            sizes = packages(binaries)
            starts = [start(binaries, asked.bundle) for _ in range(asked.runs + 1)][1:]
        except EdgeFerError as error:
            sys.exit(f"benchmarks.device: {error}")
    _print(sizes, starts)


def _print(sizes: dict[str, int], starts: list[Start]) -> None:
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:6]:
        print(f"{name:<28}{size / 1e6:8.1f} MB")
    print(f"{'installed, ' + str(len(sizes)) + ' packages':<28}{sum(sizes.values()) / 1e6:8.1f} MB")
    seconds = [s.first_prediction_s for s in starts]
    memory = [s.peak_rss_bytes / 1e6 for s in starts]
    for name, values, unit in (("first prediction", seconds, "s"), ("peak RSS", memory, "MB")):
        print(
            f"{name:<28}{statistics.median(values):8.2f} {unit} "
            f"(median of {len(values)} starts; {min(values):.2f} to {max(values):.2f})"
        )


if __name__ == "__main__":
    main()

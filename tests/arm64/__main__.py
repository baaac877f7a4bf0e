"""The device's packages and bundles on Debian for arm64, under qemu's user emulation.

    PYTHONPATH=tests/compat python tests/arm64 BUNDLE... [--count 20] [--suites bookworm,trixie]
        [--packages dist]

Installs edge-fer's wheel and what it names with the suite's own Python, runs every bundle on some
faces there and here, installs and purges the suite's Debian package, and exits with 1 when a label
differs but for ties or a package fails. Roots and environments stay in .cache/arm64. It proves
packages and arithmetic, never speed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
from faces import faces
from labels import same_labels

from edge_fer.bundle import Bundle, open_bundle
from edge_fer.engines import open_engine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache" / "arm64"
RUNNER = HERE.parent / "compat" / "run_edge_fer.py"
PYTHON = "/opt/edge-fer/bin/python"
RELEASES = {"bookworm": "deb12", "trixie": "deb13"}
KINDS = {"tflite": "PLAIN", "openvino": "SYS"}
"""How `inside.sh` must prepare a root for an engine."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--suites", default="bookworm,trixie")
    parser.add_argument(
        "--packages", type=Path, help="a folder of Debian packages, as `make deb`'s"
    )
    asked = parser.parse_args()
    bundles = [open_bundle(path) for path in asked.bundles]
    suites = asked.suites.split(",")
    packages = [package(s, asked.packages) for s in suites if asked.packages]
    results = [line for s in suites for line in suite(s, bundles, asked.count)]
    print(f"\narm64 under qemu, labels as on x86-64, {date.today()}:\n")
    print("| root | bundle | runtime | labels | largest difference | seconds a face |")
    print("|---|---|---|---|---|---|")
    for text, _ in results:
        print(text)
    print("\n".join(["", *packages]))
    sys.exit(0 if all(good for _, good in results) else 1)


def suite(name: str, bundles: list[Bundle], count: int) -> list[tuple[str, bool]]:
    """One line of the table for each bundle, and whether it is as it should be."""
    folder = Path(timed(f"{name}: root", [HERE.parent / "root.sh", "arm64", name]).strip())
    install(name, folder)
    return [compare(name, folder, bundle, count) for bundle in bundles]


def package(name: str, packages: Path) -> str:
    """What came of the suite's Debian package: installed, tested by itself, purged."""
    folder = Path(timed(f"{name}: root", [HERE.parent / "root.sh", "arm64", name]).strip())
    (built,) = packages.glob(f"edge-fer_*+{RELEASES[name]}_arm64.deb")
    given = folder / "opt" / "package"
    shutil.rmtree(given, ignore_errors=True)
    given.mkdir()
    shutil.copy(built, given)
    timed(
        f"{name}: dpkg --install",
        inside(folder, "PLAIN", "dpkg", "--install", f"/opt/package/{built.name}"),
    )
    try:
        bundle = next((folder / "usr/share/edge-fer/bundles").iterdir()).relative_to(folder)
        said = timed(
            f"{name}: selftest", inside(folder, "PLAIN", "edge-fer", "selftest", f"/{bundle}")
        )
    finally:
        timed(f"{name}: dpkg --purge", inside(folder, "PLAIN", "dpkg", "--purge", "edge-fer"))
        shutil.rmtree(given)
    left = [path for path in ("usr/lib/edge-fer", "etc/edge-fer") if (folder / path).exists()]
    if left:
        sys.exit(f"arm64: {name}: a purge left {', '.join(left)}")
    return f"{name}: {built.name} installs, {said.strip().splitlines()[-1]}, and is purged"


def install(name: str, folder: Path) -> None:
    """The suite's own Python gets edge-fer's wheel and, by pip, what that names."""
    shutil.rmtree(folder / "opt" / "given", ignore_errors=True)
    given = folder / "opt" / "given"
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", given]
    timed(f"{name}: wheel", [*wheel, ROOT])
    shutil.copy(RUNNER, given)
    shutil.copy(ROOT / "deploy" / "constraints.txt", given)
    if not (folder / PYTHON.lstrip("/")).is_symlink():
        timed(f"{name}: venv", inside(folder, "PLAIN", "python3", "-m", "venv", "/opt/edge-fer"))
    (built,) = given.glob("*.whl")
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "-c", "/opt/given/constraints.txt"]
    asked = f"edge-fer[openvino] @ file:///opt/given/{built.name}"
    timed(f"{name}: pip install", inside(folder, "PLAIN", *pip, asked))
    again = [*pip, "--no-deps", "--force-reinstall", f"/opt/given/{built.name}"]
    timed(f"{name}: pip install of today's code", inside(folder, "PLAIN", *again))
    print(timed(f"{name}: pip list", inside(folder, "PLAIN", PYTHON, "-m", "pip", "list")))


def compare(name: str, folder: Path, bundle: Bundle, count: int) -> tuple[str, bool]:
    """A bundle there and here."""
    _, pictures = faces(count, bundle.manifest.input_size)
    wanted = open_engine(bundle, threads=2).infer(pictures)
    given = folder / "opt" / "given"
    shutil.copytree(bundle.path, given / "bundle", dirs_exist_ok=True)
    np.savez(given / "faces.npz", faces=pictures)
    command = ["/opt/given/run_edge_fer.py", "/opt/given/bundle"]
    command += ["/opt/given/faces.npz", "/opt/given/scores.npy"]
    kind = KINDS[bundle.manifest.format]
    began = time.monotonic()
    said = json.loads(
        timed(f"{name}: {bundle.path.name}", inside(folder, kind, PYTHON, "-I", *command))
        .strip()
        .splitlines()[-1]
    )
    seconds = (time.monotonic() - began) / count
    scores = np.load(given / "scores.npy")
    shutil.rmtree(given / "bundle")
    same, good, lines = same_labels(scores, wanted)
    print("\n".join(lines), file=sys.stderr, flush=True)
    apart = np.abs(scores - wanted).max()
    cells = [name, bundle.path.name, f"{said['runtime']}, {said['precision']}", same]
    return f"| {' | '.join(cells)} | {apart:.2g} | {seconds:.1f} |", good


def inside(folder: Path, kind: str, *command: str) -> list[str | Path]:
    return [HERE / "inside.sh", folder, kind, *command]


def timed(what: str, command: list[str | Path]) -> str:
    """Run it, say how long it took, and give what it printed; ends the program when it fails."""
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(f"{what}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if done.returncode:
        sys.exit(f"arm64: {what} failed with status {done.returncode}: {done.stdout[-500:]}")
    return done.stdout


if __name__ == "__main__":
    main()

"""edge-fer's own wheel, out of the sources that this program runs from."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from edge_fer.errors import ConfigError, NotFound, Refused
from edge_fer.storage import new_folder

SOURCES = ("edge_fer", "converters", "benchmarks", "deploy")
FILES = ("pyproject.toml", "README.md", "LICENSE")
WORKSHOP = ("weights.safetensors", "__pycache__")
"""What a board does not need of them: the float checkpoint is half of the wheel."""
CACHE = "XDG_CACHE_HOME"
FIRST_ZIP_DAY = "315532800"
"""1 January 1980: the wheel of the same sources is the same to the byte."""


def built(offline: bool) -> Path:
    """Its path; made only when the sources have changed. Raises ConfigError or Refused."""
    project = Path(__file__).resolve().parent.parent
    if not (project / FILES[0]).is_file():
        raise ConfigError(
            "edge-fer was not installed from its sources here: name its wheel with --wheel"
        )
    with tempfile.TemporaryDirectory() as scratch:
        sources = Path(scratch) / "sources"
        ignored = shutil.ignore_patterns(*WORKSHOP)
        for name in SOURCES:
            shutil.copytree(project / name, sources / name, ignore=ignored)
        for name in FILES:
            shutil.copy(project / name, sources)
        folder = cache() / f"own-{_hashed(sources)}"
        if not folder.is_dir():
            with new_folder(folder) as out:
                _build(sources, out, offline)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _build(sources: Path, out: Path, offline: bool) -> None:
    # In a copy: setuptools would find what an earlier build left in the sources themselves.
    around = {**os.environ, "SOURCE_DATE_EPOCH": FIRST_ZIP_DAY}
    around |= {"PIP_NO_INDEX": "1"} if offline else {}
    isolated = [] if _needs_setuptools() else ["--no-build-isolation"]
    run_pip(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *isolated,
         "--wheel-dir", str(out), str(sources)],
        "edge-fer's wheel cannot be built", around,
    )  # fmt: skip


def kept(wheel: Path) -> Path:
    """A copy of one that was named: it must not change while it is sent.

    Raises ConfigError or NotFound.
    """
    content = _checked(wheel).read_bytes()
    folder = cache() / f"own-{hashlib.sha256(content).hexdigest()[:16]}"
    if not folder.is_dir():
        with new_folder(folder) as out:
            (out / wheel.name).write_bytes(content)
    return folder / wheel.name


def _hashed(folder: Path) -> str:
    """Of all files and their names."""
    whole = hashlib.sha256()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        whole.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def run_pip(command: list[str], failed: str, around: dict[str, str]) -> None:
    """Run it; raises Refused with `failed` and pip's own last word."""
    done = subprocess.run(command, capture_output=True, text=True, env=around, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        last = (said or done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        raise Refused(f"{failed}: {last.removeprefix('ERROR: ')}")


def cache() -> Path:
    """Where wheels are kept from one deploy to the next."""
    root = os.environ.get(CACHE) or Path.home() / ".cache"
    return Path(root) / "edge-fer" / "wheels"


def _needs_setuptools() -> bool:
    """True where pip must fetch setuptools first, for there is none or an old one."""
    from importlib import metadata

    try:
        found = re.match(r"\d+", metadata.version("setuptools"))
    except metadata.PackageNotFoundError:
        return True
    return found is None or int(found[0]) < 77


def _checked(wheel: Path) -> Path:
    if not wheel.is_file():
        raise NotFound(f"{wheel}: no such wheel")
    if not wheel.name.startswith("edge_fer-") or wheel.suffix != ".whl":
        raise ConfigError(f"{wheel}: is no wheel of edge-fer")
    return wheel.absolute()

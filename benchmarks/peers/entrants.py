"""Who takes part: our bundles, and peers that have their files and an environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import Peer
from benchmarks.peers.environments import installed_bytes, python_of
from benchmarks.records import BUNDLE
from benchmarks.run import names_of
from edge_fer.detectors import default_detector
from edge_fer.errors import EdgeFerError
from edge_fer.progress import Progress

FACES, FRAMES = "faces", "frames"
"""Two ways to be asked: single faces, and whole frames of the clip."""
PEER = "peer"
WORKER = Path(__file__).parent / "worker.py"
NO_DETECTOR = "brings no face detector"


@dataclass(frozen=True, slots=True)
class Entrant:
    """One package or bundle, and how its process is started."""

    name: str
    role: str
    """`bundle` or `peer`."""
    told: str
    path: Path
    commands: dict[str, list[str]] = field(default_factory=dict)
    """Way to the command line; one that is missing cannot be asked for."""
    failed: str | None = None
    """Why it takes no part at all."""
    installed_bytes: int | None = None


def entrants(
    bundles: Sequence[Path],
    peers: Sequence[Peer],
    files: Path | None,
    environments: Path,
    progress: Progress,
) -> Iterator[Entrant]:
    """Ours first; environments that are missing are made."""
    for name, path in zip(names_of(bundles), bundles, strict=True):
        yield Entrant(
            name, BUNDLE, f"edge-fer; frames by {default_detector()}, each by itself", path,
            {way: [sys.executable, "-m", module] for way, module in
             ((FACES, "benchmarks.worker"), (FRAMES, "benchmarks.peers.own"))},
        )  # fmt: skip
    for number, peer in enumerate(peers):
        progress("environments", number, len(peers), peer.name)
        yield _entrant(peer, files, environments)
    progress("environments", len(peers), len(peers))


def missing_files(files: Path | None, wanted: Sequence[str]) -> list[str]:
    """The wanted files that the folder lacks."""
    return [name for name in wanted if files is None or not (files / name).is_file()]


def _entrant(peer: Peer, files: Path | None, environments: Path) -> Entrant:
    missing = missing_files(files, peer.files)
    if missing:
        reason = f"needs {' and '.join(missing)} in the folder of --files"
        return Entrant(peer.name, PEER, peer.told, WORKER, failed=reason)
    try:
        python = python_of(peer, environments)
    except EdgeFerError as error:
        return Entrant(peer.name, PEER, peer.told, WORKER, failed=str(error))
    given = [str(files.absolute())] if files else []
    ways = (FACES, FRAMES) if peer.watches else (FACES,)
    commands = {way: [str(python), str(WORKER), peer.name, way, *given] for way in ways}
    return Entrant(
        peer.name, PEER, peer.told, WORKER, commands, installed_bytes=installed_bytes(python)
    )

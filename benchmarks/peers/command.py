"""`edge-fer bench peers`: bundles and peers in one interleaved run, on faces and on a clip."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import machine, throttle
from benchmarks.accuracy import predict
from benchmarks.faces import Faces, labelled_faces
from benchmarks.peers import PEERS, Peer
from benchmarks.peers.clip import Seen, WatchedClip, composed, recorded
from benchmarks.peers.entrants import FACES, FRAMES, entrants
from benchmarks.peers.report import PeerReport
from benchmarks.peers.results import results
from benchmarks.peers.turns import Way, take_turns
from benchmarks.records import Settings
from benchmarks.subject import Subject
from edge_fer.engines import default_threads
from edge_fer.errors import ConfigError, NotFound
from edge_fer.progress import Progress
from edge_fer.types import Box, FaceBatch

SETTINGS = Settings(rounds=20, queries=52, turn_s=1.0, warmup=10, rate_s=0.0)
CLIP = Settings(rounds=20, queries=15, turn_s=0.0, warmup=5, rate_s=0.0)
"""The same frames for all: three times those of the clip, whatever they take."""
CHUNK = 20
"""Frames a request."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command."""

    data: str
    split: str
    limit: int | None
    camera: str | None
    only: Sequence[str]
    bundles: Sequence[Path]
    files: Path | None
    environments: Path
    out: Path


def measure_peers(
    asked: Asked, progress: Progress, settings: Settings = SETTINGS, clip_settings: Settings = CLIP
) -> PeerReport:
    """Measure and write; raises ConfigError, NotFound or BadData for what is asked wrongly.

    A peer that cannot be run is listed with the reason, and the others are measured.
    """
    chosen = _chosen(asked)
    faces = labelled_faces(asked.data, asked.split, asked.limit)
    clip = recorded(asked.camera) if asked.camera else composed(asked.data, asked.split)
    cores = tuple(sorted(os.sched_getaffinity(0)))[: default_threads()]
    facts: dict[str, Any] = {**machine.facts(), "before": machine.condition()}
    before = throttle.read()
    all_of_them = list(entrants(asked.bundles, chosen, asked.files, asked.environments, progress))
    with TemporaryDirectory(prefix="edge-fer-peers-") as folder:
        scratch = Path(folder)
        ways = (_faces(faces, scratch, settings, progress), _frames(clip, scratch, clip_settings))
        found = [take_turns(all_of_them, way, cores, scratch, progress) for way in ways]
    facts["after"] = machine.condition()
    slowed = throttle.slowed(before, throttle.read())
    report = PeerReport(
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        edge_fer=metadata.version("edge-fer"),
        faces=faces.facts,
        clip=clip.facts,
        machine=facts,
        results=results(all_of_them, found[0], found[1], faces.truth, clip.known),
        invalid=slowed,
    )
    report.write(asked.out)
    return report


def _faces(faces: Faces, scratch: Path, settings: Settings, progress: Progress) -> Way:
    """Single faces, at the size that each of them takes."""

    def file(told: dict[str, Any]) -> Path:
        size = told.get("side") or told["model"]["input_size"]
        return _saved(scratch / f"faces-{size}.npy", lambda: faces.at(size))

    def ask(subject: Subject) -> Any:
        return predict(subject, faces.facts.count, progress)

    return Way(FACES, file, ask, settings)


def _frames(clip: WatchedClip, scratch: Path, settings: Settings) -> Way:
    """Whole frames, the same for all."""

    def file(told: dict[str, Any]) -> Path:
        return _saved(scratch / "frames.npy", lambda: clip.frames)

    def ask(subject: Subject) -> list[list[Seen]]:
        count, seen = len(clip.frames), []
        for start in range(0, count, CHUNK):
            seen += subject.ask("watch", start=start, stop=min(start + CHUNK, count))["seen"]
        return [
            [(Box(*corners), int(np.argmax(scores))) for corners, scores in frame] for frame in seen
        ]

    return Way(FRAMES, file, ask, settings)


def _saved(path: Path, pictures: Callable[[], FaceBatch]) -> Path:
    if not path.is_file():
        np.save(path, pictures())
    return path


def _chosen(asked: Asked) -> list[Peer]:
    """Raises ConfigError for an unknown name, NotFound for a folder that is not there."""
    known = {peer.name: peer for peer in PEERS}
    for name in asked.only:
        if name not in known:
            raise ConfigError(f"unknown peer {name!r}: choose from {', '.join(known)}")
    if asked.files and not asked.files.is_dir():
        raise NotFound(f"{asked.files}: no such folder of model files")
    return [peer for peer in PEERS if not asked.only or peer.name in asked.only]

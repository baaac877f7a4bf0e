"""The clip that whole packages watch, and what they found in it.

No detector chose its faces: pictures of the dataset come as a seed draws them, each frame its own,
so that what is found in one frame says nothing of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline_clip import HEIGHT, SEED, SIDE, WIDTH, faces_in, place, scene
from edge_fer.cameras import open_camera
from edge_fer.datasets import open_dataset, samples_of
from edge_fer.datasets.faces import face_of, schemes
from edge_fer.detectors import open_detector
from edge_fer.drawing import backdrop
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData
from edge_fer.plugins import split_spec
from edge_fer.statistics import Interval, wilson
from edge_fer.types import Box

FRAMES = 120
"""240 faces: of 80 % that are found the 95 % interval is ten points wide."""
SAME = 0.3
"""Overlap from which a box is the known face. Detection benchmarks ask 0.5 of boxes that people
drew; here the picture's own square is known, and detectors cut faces looser and tighter."""

Seen = tuple[Box, int]
"""A face that was found, and the number of its best expression."""


@dataclass(frozen=True, slots=True)
class Known:
    """One face of a frame."""

    box: Box
    emotion: Emotion | None
    """None where nobody labelled it."""


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What a report says of the clip."""

    name: str
    frames: int
    width: int
    height: int
    faces: int
    """In all frames together."""
    different: int | None
    """Pictures of faces among them; None where nobody counted."""
    labelled: bool
    counted_by: str
    """How the faces are known."""


@dataclass(frozen=True, slots=True)
class WatchedClip:
    """Frames and their faces."""

    facts: ClipFacts
    frames: NDArray[np.uint8]
    """(N, H, W, 3) BGR"""
    known: tuple[tuple[Known, ...], ...]
    """For every frame."""


@dataclass(frozen=True, slots=True)
class Finds:
    """What one package found in the clip."""

    found: Interval
    """Share of the known faces."""
    beside: float
    """Finds a frame that are none of them."""
    right: Interval | None
    """Share of the found faces that were named rightly; None without labels or finds."""
    right_of_all: Interval | None
    """Found and named rightly, as a share of all known faces."""


def composed(data: str, split: str, count: int = FRAMES) -> WatchedClip:
    """A third of the frames with one face of the split, a third with two, a third with three."""
    samples = samples_of(open_dataset(data), split)
    order = np.random.default_rng(SEED).permutation(len(samples))
    room = backdrop(HEIGHT, WIDTH, SEED)
    frames, known, taken = [], [], 0
    for index in range(count):
        many = faces_in(index, count)
        chosen = [samples[int(order[(taken + i) % len(order)])] for i in range(many)]
        taken += many
        frames.append(scene(room, [face_of(one, SIDE) for one in chosen], index))
        boxes = [_square(*place(i, many, index)) for i in range(many)]
        known.append(tuple(Known(box, s.emotion) for box, s in zip(boxes, chosen, strict=True)))
    facts = ClipFacts(
        f"faces of {schemes(data)}, {split} split", count, WIDTH, HEIGHT, taken,
        min(taken, len(samples)), labelled=True, counted_by="the clip's own script",
    )  # fmt: skip
    return WatchedClip(facts, np.stack(frames), tuple(known))


def recorded(camera: str, count: int = FRAMES) -> WatchedClip:
    """The first frames of a user's clip; raises BadData where no face is in them.

    Nobody labelled it: its faces are those that our own detector finds.
    """
    scheme, argument = split_spec(camera)
    name = f"{scheme}:{Path(argument).name}"
    with closing(open_camera(camera)) as opened:
        frames = [frame.image.copy() for frame in islice(opened, count)]
    if len({frame.shape for frame in frames}) != 1:
        raise BadData(f"{name}: needs frames of one size; give a video")
    detector = open_detector()
    known = tuple(tuple(Known(f.box, None) for f in detector.detect(one)) for one in frames)
    faces = sum(map(len, known))
    if not faces:
        raise BadData(f"{name}: the detector finds no face in its first {len(frames)} frames")
    height, width = frames[0].shape[:2]
    facts = ClipFacts(
        name, len(frames), width, height, faces, None,
        labelled=False, counted_by="edge-fer's own detector",
    )  # fmt: skip
    return WatchedClip(facts, np.stack(frames), known)


def finds(known: Sequence[Sequence[Known]], seen: Sequence[Sequence[Seen]]) -> Finds:
    """Every known face beside the find that lies on it; both hold one entry a frame."""
    faces = sum(map(len, known))
    labelled = all(face.emotion is not None for frame in known for face in frame)
    found = right = beside = 0
    for there, here in zip(known, seen, strict=True):
        pairs = matched([face.box for face in there], [box for box, _ in here])
        found += len(pairs)
        beside += len(here) - len(pairs)
        right += sum(there[i].emotion == here[j][1] for i, j in pairs.items())
    return Finds(
        wilson(found, faces),
        beside / len(known),
        wilson(right, found) if labelled and found else None,
        wilson(right, faces) if labelled else None,
    )


def matched(known: Sequence[Box], seen: Sequence[Box]) -> dict[int, int]:
    """Number of a known box to that of the one seen on it, the best overlaps first."""
    shares = [(overlap(a, b), i, j) for i, a in enumerate(known) for j, b in enumerate(seen)]
    pairs: dict[int, int] = {}
    for share, i, j in sorted(shares, reverse=True):
        if share >= SAME and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(width, 0) * max(height, 0)
    both = one.width * one.height + other.width * other.height - shared
    return shared / both if both else 0.0


def _square(left: int, top: int) -> Box:
    return Box(left, top, left + SIDE, top + SIDE)

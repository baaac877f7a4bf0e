"""Whether every face can be read, before hours of work depend on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from edge_fer.errors import BadData, EdgeFerError
from edge_fer.preprocess import crop_face
from edge_fer.progress import Progress
from edge_fer.types import Box, Sample

CHUNK = 1024
"""Faces handed to the threads at once: pictures in memory stay few, however many there are."""
PROBE = 8
"""Pixels that a face is cut to: the box is looked at, the picture is not kept."""


def require_readable(samples: Sequence[Sample], where: str, progress: Progress) -> None:
    """Raise BadData with the number of faces that cannot be used, and the first one's fault."""
    faults: list[str] = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        for start in range(0, len(samples), CHUNK):
            found = threads.map(_fault, samples[start : start + CHUNK])
            faults += [fault for fault in found if fault]
            progress("reading once", min(start + CHUNK, len(samples)), len(samples))
    if faults:
        raise BadData(
            f"{where}: {len(faults):,} of {len(samples):,} faces cannot be used, the first: "
            f"{faults[0]}; `edge-fer data check` names more"
        )


def _fault(sample: Sample) -> str | None:
    try:
        image = sample.read()
        crop_face(image, sample.box or Box.whole(image), PROBE)
    except (EdgeFerError, ValueError) as error:
        return str(error) if isinstance(error, EdgeFerError) else f"{sample.source}: {error}"
    return None

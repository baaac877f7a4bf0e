"""All faces of a collection in one row, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from edge_fer.datasets import open_dataset, origin_of, parts_of
from edge_fer.datasets.check.duplicates import exact_groups, near_groups
from edge_fer.datasets.check.look import Look, look_at_all, require_imagehash
from edge_fer.datasets.holdout import UNSPLIT
from edge_fer.errors import BadData, ConfigError, NoSplit
from edge_fer.progress import Progress
from edge_fer.types import Sample

SUBJECTS, DUPLICATES, BOTH = "subject", "duplicate group", "subject or duplicate group"


@dataclass(frozen=True, slots=True)
class Groups:
    """Who belongs together: faces of one number never stand on two sides of a fold."""

    kind: str
    of: tuple[int, ...]
    """A number for each face."""

    @property
    def count(self) -> int:
        """Different groups."""
        return len(set(self.of))


def pooled(spec: str, splits: Sequence[str]) -> list[Sample]:
    """The faces of these splits of a dataset or of several joined ones, each face once.

    A split that a collection does not have is left out; raises ConfigError where none is left, and
    NotFound where something of a split is missing.
    """
    parts = parts_of(spec)
    samples: list[Sample] = []
    for number, part in enumerate(parts, start=1):
        dataset = open_dataset(part)
        prefix = f"{number}-{part.partition(':')[0]}/" if len(parts) > 1 else ""
        for split in splits:
            try:
                found = dataset.samples(split)
            except NoSplit:
                continue
            samples += [_placed(sample, f"{prefix}{split}/", prefix) for sample in found]
            if origin_of(dataset, split) == UNSPLIT:
                break
    if not samples:
        raise ConfigError(f"{spec}: no faces in the splits {', '.join(splits)}")
    return samples


def groups_of(samples: Sequence[Sample], where: str, progress: Progress) -> Groups:
    """Faces of one subject, equal faces, and faces that look alike where a subject is not known.

    What is linked by a chain of these is one group. Where every face has a subject, likeness links
    nobody: pictures of two persons before one wall look alike. Reads every face once; raises
    BadData where some cannot be used.
    """
    subjects: dict[str, list[int]] = {}
    strangers: set[int] = set()
    for position, sample in enumerate(samples):
        if sample.group is None:
            strangers.add(position)
        else:
            subjects.setdefault(sample.group, []).append(position)
    exact, near = _alike(samples, where, progress, near=bool(strangers))
    told = (group for group in near if not strangers.isdisjoint(group))
    kind = BOTH if subjects and strangers else SUBJECTS if subjects else DUPLICATES
    return Groups(kind, _linked(len(samples), [*subjects.values(), *exact, *told]))


def alike_groups(samples: Sequence[Sample], where: str, progress: Progress) -> list[list[int]]:
    """Positions of faces that are equal or look alike, wherever there are two or more."""
    exact, near = _alike(samples, where, progress, near=True)
    known = {position for group in near for position in group}
    return [*near, *(group for group in exact if group[0] not in known)]


def _alike(
    samples: Sequence[Sample], where: str, progress: Progress, near: bool
) -> tuple[list[list[int]], list[list[int]]]:
    """Groups of equal faces, and groups of faces that look alike."""
    if near:
        require_imagehash()
    looks = list(look_at_all(samples, "pool", near, progress))
    _require_seen(looks, where)
    pixels = [look.pixels for look in looks]
    likeness = np.array([look.likeness for look in looks], np.uint64)
    return exact_groups(pixels), near_groups(pixels, likeness) if near else []


def _linked(count: int, together: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """A number for each of `count` positions, the same for those that a chain of lists links."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = np.array([(one[0], other) for one in together for other in one[1:]], np.int64)
    first, second = links.reshape(-1, 2).T
    graph = coo_array((np.ones(len(first)), (first, second)), (count, count))
    return tuple(connected_components(graph, directed=False)[1].tolist())


def _require_seen(looks: Sequence[Look], where: str) -> None:
    faults = [look.fault for look in looks if look.fault]
    if faults:
        raise BadData(
            f"{where}: {len(faults):,} of {len(looks):,} faces cannot be used, the first: "
            f"{faults[0]}; `edge-fer data check` names more"
        )


def told(progress: Progress, prefix: str) -> Progress:
    """A Progress that says which part of the work it tells of."""
    return partial(_told, progress, prefix)


def _told(
    progress: Progress, prefix: str, what: str, done: int, total: int, note: str = ""
) -> None:
    progress(f"{prefix}: {what}", done, total, note)


def _placed(sample: Sample, place: str, prefix: str) -> Sample:
    """Names that are still different among all splits and all parts."""
    group = None if sample.group is None else prefix + sample.group
    return replace(sample, source=place + sample.source, group=group)

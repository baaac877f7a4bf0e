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
from edge_fer.datasets.readable import require_readable
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
    """Subjects where they are known; elsewhere faces that are equal or look alike.

    Reads every face once; raises BadData where some cannot be used.
    """
    strangers = [i for i, sample in enumerate(samples) if sample.group is None]
    subjects = sorted({sample.group for sample in samples if sample.group is not None})
    require_readable([s for s in samples if s.group is not None], where, progress)
    numbers = {subject: number for number, subject in enumerate(subjects)}
    of = [numbers.get(sample.group or "", 0) for sample in samples]
    alike = alike_groups([samples[i] for i in strangers], where, progress) if strangers else []
    for number, position in enumerate(strangers):
        of[position] = len(subjects) + number
    for members in alike:
        for member in members:
            of[strangers[member]] = len(subjects) + members[0]
    kind = BOTH if subjects and strangers else SUBJECTS if subjects else DUPLICATES
    return Groups(kind, tuple(of))


def alike_groups(samples: Sequence[Sample], where: str, progress: Progress) -> list[list[int]]:
    """Positions of faces that are equal or look alike, wherever there are two or more."""
    require_imagehash()
    looks = list(look_at_all(samples, "pool", near=True, progress=progress))
    _require_seen(looks, where)
    pixels = [look.pixels for look in looks]
    near = near_groups(pixels, np.array([look.likeness for look in looks], np.uint64))
    known = {position for group in near for position in group}
    return [*near, *(group for group in exact_groups(pixels) if group[0] not in known)]


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

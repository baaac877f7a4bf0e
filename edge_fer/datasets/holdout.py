"""A validation part for collections that come without one: drawn once, and the same everywhere."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

SHARES = (("test", 0.15), ("validation", 0.15))
"""Of the subjects; the others train."""
UNSPLIT = "the same faces for every split"
"""What `origins` says of a collection without splits."""


def held_out(name: str, one_in: int) -> bool:
    """Whether a face is of the validation part: its name alone decides."""
    return zlib.crc32(name.encode()) % one_in == 0


def splits_of_subjects(subjects: Iterable[str]) -> dict[str, str]:
    """The split of each subject: a seventh or so for test and for validation, at least one each."""
    names = sorted(set(subjects), key=lambda name: (zlib.crc32(name.encode()), name))
    chosen = dict.fromkeys(names, "train")
    start = 0
    for split, share in SHARES:
        count = max(1, round(share * len(names)))
        chosen.update(dict.fromkeys(names[start : start + count], split))
        start += count
    return chosen

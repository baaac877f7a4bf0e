"""What the looks at all faces amount to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from edge_fer.datasets.check.duplicates import exact_groups, near_groups
from edge_fer.datasets.check.look import Look
from edge_fer.datasets.check.report import Groups, Problem, Report, SplitFacts

SMALLEST = 32
"""Pixels of a face's shorter side; below it nothing is left of an expression."""
USUAL = 0.9
"""Share of faces of one size from which on another size is odd."""
SHOWN = 5
"""Examples given of a problem."""
MEMBERS = 4
"""Faces named of a group."""


def findings(name: str, splits: Sequence[SplitFacts], looks: Sequence[Look], near: bool) -> Report:
    """The report of a dataset."""
    pixels = [look.pixels for look in looks]
    exact = [[looks[i] for i in group] for group in exact_groups(pixels)]
    alike: list[list[Look]] = []
    if near:
        hashes = np.array([look.likeness for look in looks], np.uint64)
        alike = [[looks[i] for i in group] for group in near_groups(pixels, hashes)]
    problems = [
        *(Problem("split", 1, f"{s.name}: {s.fault}") for s in splits if s.fault),
        *_empty_classes(splits),
        _unreadable(looks),
        *_sizes(looks),
        *_duplicates(exact),
        _near(alike),
        _subjects(looks),
    ]
    return Report(
        name,
        tuple(splits),
        _counted_sizes(looks),
        _groups(exact),
        _groups(alike) if near else None,
        tuple(problem for problem in problems if problem.count),
    )


def _empty_classes(splits: Iterable[SplitFacts]) -> Iterable[Problem]:
    for split in splits:
        absent = [label for label, count in split.classes.items() if not count]
        text = f"{split.name}: no faces of {', '.join(absent)}"
        yield Problem("empty class", len(absent), text)


def _unreadable(looks: Sequence[Look]) -> Problem:
    faults = [look.fault for look in looks if look.fault]
    return Problem("unreadable", len(faults), "files cannot be used", tuple(faults[:SHOWN]))


def _sizes(looks: Sequence[Look]) -> Iterable[Problem]:
    readable = [look for look in looks if not look.fault]
    small = [look for look in readable if min(look.size) < SMALLEST]
    yield _sized("too small", small, f"faces are less than {SMALLEST} pixels wide or high")
    sizes = Counter(look.size for look in readable)
    for usual, count in sizes.most_common(1):
        if count >= USUAL * len(readable):
            odd = [look for look in readable if look.size != usual]
            yield _sized("odd size", odd, f"faces are not {usual[0]}x{usual[1]} as the others")


def _sized(kind: str, looks: Sequence[Look], text: str) -> Problem:
    examples = tuple(f"{look.name} is {look.size[0]}x{look.size[1]}" for look in looks[:SHOWN])
    return Problem(kind, len(looks), text, examples)


def _duplicates(groups: Sequence[list[Look]]) -> Iterable[Problem]:
    faces = sum(map(len, groups))
    text = f"groups of pixel-identical faces ({faces:,} faces)"
    yield _grouped("duplicates", groups, text)
    across = [group for group in groups if _crosses(group)]
    yield _grouped("duplicates across splits", across, "of these groups stand in several splits")
    conflicting = [group for group in groups if _conflicts(group)]
    yield _grouped("conflicting labels", conflicting, "of these groups have conflicting labels")


def _near(groups: Sequence[list[Look]]) -> Problem:
    across = [group for group in groups if _crosses(group)]
    text = "groups of faces that look alike stand in several splits"
    return _grouped("near duplicates across splits", across, text)


def _grouped(kind: str, groups: Sequence[list[Look]], text: str) -> Problem:
    return Problem(kind, len(groups), text, tuple(_members(group) for group in groups[:SHOWN]))


def _members(group: Sequence[Look]) -> str:
    """The faces of a group; of a large one the last, which stand in the later splits."""
    shown = ", ".join(f"{look.name} ({look.emotion.label})" for look in group[-MEMBERS:])
    more = len(group) - MEMBERS
    return f"{shown} and {more} more" if more > 0 else shown


def _subjects(looks: Sequence[Look]) -> Problem:
    where: dict[str, set[str]] = defaultdict(set)
    for look in looks:
        if look.group is not None:
            where[look.group].add(look.split)
    shared = sorted(subject for subject, splits in where.items() if len(splits) > 1)
    text = "subjects stand in several splits"
    return Problem("subjects across splits", len(shared), text, tuple(shared[:SHOWN]))


def _groups(groups: Sequence[list[Look]]) -> Groups:
    return Groups(
        len(groups),
        sum(map(len, groups)),
        sum(map(_crosses, groups)),
        sum(map(_conflicts, groups)),
    )


def _crosses(group: Iterable[Look]) -> bool:
    return len({look.split for look in group}) > 1


def _conflicts(group: Iterable[Look]) -> bool:
    return len({look.emotion for look in group}) > 1


def _counted_sizes(looks: Iterable[Look]) -> dict[str, int]:
    sizes = Counter(look.size for look in looks if not look.fault)
    return {f"{width}x{height}": count for (width, height), count in sizes.most_common(SHOWN)}

"""Which faces are the same, and which look the same: groups of positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

NEAR = 4
"""Most bits of 64 that differ between near duplicates.

On FER2013 the pairs up to 4 bits apart are one picture with another watermark, cut or contrast;
at 6 bits the first different persons appear.
"""
BITS = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]
"""(P, 2) positions, the smaller one first"""


def exact_groups(pixels: Sequence[bytes]) -> list[list[int]]:
    """Positions of equal hashes, wherever there are two or more; an empty hash equals none."""
    return [group for group in _by_hash(pixels).values() if len(group) > 1]


def near_groups(pixels: Sequence[bytes], likeness: Hashes) -> list[list[int]]:
    """Positions of faces that look alike and are not all equal, chained where pairs overlap."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    equal = list(_by_hash(pixels).values())
    pairs = near_pairs(likeness[[group[0] for group in equal]])
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), [len(equal)] * 2)
    _, labels = connected_components(links, directed=False)
    chained: dict[int, list[list[int]]] = defaultdict(list)
    for label, group in zip(labels.tolist(), equal, strict=True):
        chained[label].append(group)
    return [sorted(chain.from_iterable(groups)) for groups in chained.values() if len(groups) > 1]


def near_pairs(hashes: Hashes) -> Pairs:
    """The pairs that differ in at most `NEAR` bits.

    Cut into one band more than bits may differ, two such hashes agree in a whole band (Manku et
    al., WWW 2007): only hashes that share a band are compared.
    """
    found = [np.empty((0, 2), np.int64)]
    for band in np.array_split(np.arange(64, dtype=np.uint64), NEAR + 1):
        mask = np.uint64(sum(1 << int(bit) for bit in band))
        found += _pairs_of_equal(hashes & mask, hashes)
    return np.unique(np.concatenate(found), axis=0)


def _pairs_of_equal(keys: Hashes, hashes: Hashes) -> list[Pairs]:
    """Near pairs among those of equal keys: neighbours in sorted order, then the next but one."""
    order = np.argsort(keys, kind="stable")
    ordered, found, step = keys[order], [], 1
    first = np.arange(len(keys))
    while first.size:
        first = first[first < len(keys) - step]
        first = first[ordered[first] == ordered[first + step]]
        pairs = np.sort(np.stack([order[first], order[first + step]], axis=1), axis=1)
        found.append(pairs[_distance(hashes[pairs[:, 0]], hashes[pairs[:, 1]]) <= NEAR])
        step += 1
    return found


def _distance(ones: Hashes, others: Hashes) -> NDArray[np.int64]:
    """(P,) bits that differ."""
    quarters = np.ascontiguousarray(ones ^ others).view(np.uint16).reshape(-1, 4)
    return np.asarray(BITS[quarters].sum(axis=1), np.int64)


def _by_hash(pixels: Sequence[bytes]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = defaultdict(list)
    for position, digest in enumerate(pixels):
        if digest:
            found[digest].append(position)
    return found

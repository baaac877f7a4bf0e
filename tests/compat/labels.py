"""When labels of two runtimes count as the same."""

from __future__ import annotations

import numpy as np

from edge_fer.types import ScoreBatch

TIE = 0.05
"""Probability by which the best class must lead for its label to be demanded everywhere."""


def same_labels(scores: ScoreBatch, wanted: ScoreBatch) -> tuple[str, bool, list[str]]:
    """`198/200, 2 ties`; whether all others are the same; and a line for each that differs.

    Kernels of INT8 round differently from release to release and from processor to processor, so
    a label may differ where the two best wanted scores lie within TIE of each other.
    """
    other = np.flatnonzero(scores.argmax(1) != wanted.argmax(1))
    best = np.sort(wanted, axis=1)[:, ::-1]
    ties = int((best[other, 0] - best[other, 1] < TIE).sum())
    text = f"{len(wanted) - len(other)}/{len(wanted)}" + (f", {ties} ties" if ties else "")
    lines = [f"face {i}: wanted {best[i, 0]:.3f} before {best[i, 1]:.3f}" for i in other]
    return text, ties == len(other), lines

"""Two models on the same faces: how far apart they are, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_fer.emotions import LABELS
from edge_fer.statistics import Interval, macro_f1, paired_difference

Classes = NDArray[np.int64]

DRAWS = 2000
"""Of faces with replacement (Efron and Tibshirani, 1993, ch. 13: 1,000 or more for percentiles)."""
SEED = 1


def bootstrap(answers: Classes, parent: Classes, truth: Classes) -> Interval:
    """Accuracy minus that of the parent; 95 % percentile interval of a paired bootstrap.

    A face is drawn together with both answers. Only the numbers of faces won and lost matter, so
    they are drawn, as multinomial counts, instead of the faces.
    """
    right, parent_right = answers == truth, parent == truth
    count = len(truth)
    won = int((right & ~parent_right).sum())
    lost = int((~right & parent_right).sum())
    shares = np.array([won, lost, count - won - lost]) / count
    drawn = np.random.default_rng(SEED).multinomial(count, shares, DRAWS)
    differences = (drawn[:, 0] - drawn[:, 1]) / count
    low, high = np.percentile(differences, (2.5, 97.5))
    return Interval((won - lost) / count, float(low), float(high))


def f1_difference(answers: Classes, parent: Classes, truth: Classes) -> Interval:
    """Macro-F1 minus that of the parent; 95 % percentile interval of a paired bootstrap.

    Drawn are counts of the cells truth x answer x parent's answer: at most 343 of them, so that a
    draw costs the same for a thousand faces as for a million.
    """
    sides = len(LABELS)
    cells = np.ravel_multi_index((truth, answers, parent), (sides,) * 3)
    counts = np.bincount(cells, minlength=sides**3)
    used = np.flatnonzero(counts)
    where = np.array(np.unravel_index(used, (sides,) * 3))
    drawn = np.random.default_rng(SEED).multinomial(len(truth), counts[used] / len(truth), DRAWS)
    spread = _f1(drawn, where[0], where[1]) - _f1(drawn, where[0], where[2])
    low, high = np.percentile(spread, (2.5, 97.5))
    return Interval(macro_f1(answers, truth) - macro_f1(parent, truth), float(low), float(high))


def per_class(answers: Classes, parent: Classes, truth: Classes) -> dict[str, Interval]:
    """Label to recall minus that of the parent (Agresti and Min's interval), where it occurs."""
    found = {}
    for number, label in enumerate(LABELS):
        chosen = truth == number
        if chosen.any():
            found[label] = paired_difference(answers[chosen], parent[chosen], truth[chosen])
    return found


def _f1(drawn: NDArray[np.int64], truth: Classes, answers: Classes) -> NDArray[np.float64]:
    """(draws,) macro-F1 of drawn cell counts (draws, cells)."""
    hits = _sums(drawn, lambda n: (truth == n) & (answers == n))
    totals = _sums(drawn, lambda n: truth == n) + _sums(drawn, lambda n: answers == n)
    present = totals > 0
    rates = np.divide(2 * hits, totals, out=np.zeros(hits.shape), where=present)
    return np.asarray(rates.sum(0) / present.sum(0), np.float64)


def _sums(
    drawn: NDArray[np.int64], chosen: Callable[[int], NDArray[np.bool_]]
) -> NDArray[np.int64]:
    """(7, draws) faces in the cells that are chosen for each class."""
    return np.stack([drawn[:, chosen(n)].sum(1) for n in range(len(LABELS))])

"""Calibrated probabilities: vector scaling of the logits, and a threshold to abstain under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

SPREAD = 0.3
"""Prior standard deviation of what a class has of its own."""
ENOUGH = 1000
"""Faces; fewer tell too little of each class (100 of FER2013 cost a point of accuracy on the
others): a single temperature then."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Logits are multiplied and shifted class by class before the softmax.

    Vector scaling (Guo et al., ICML 2017, section 4.2). A single temperature leaves the errors
    that differ from class to class, such as an expression that is named too often.
    """

    factor: NDArray[np.float64]
    """(7,)"""
    shift: NDArray[np.float64]
    """(7,)"""

    def __call__(self, logits: Array) -> Array:
        """(N, 7) logits to (N, 7) logits."""
        return np.asarray(logits * self.factor + self.shift)

    def folded(self, weights: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The same weights with a last layer that gives the scaled logits itself."""
        kernel, bias = weights["head/kernel"], weights["head/bias"]
        last = {"head/kernel": kernel * self.factor, "head/bias": self(bias)}
        return {**weights, **{name: v.astype(np.float32) for name, v in last.items()}}

    def to_json(self) -> dict[str, list[float]]:
        """For the record."""
        return {"factor": self.factor.tolist(), "shift": self.shift.tolist()}


def softmax(logits: Array) -> Array:
    """(N, 7) logits to probabilities."""
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


def fit_temperature(logits: Array, truth: NDArray[np.integer]) -> float:
    """The temperature of least negative log-likelihood (Guo et al., ICML 2017).

    The likelihood has a single minimum over log T: a fine grid finds it to 0.1 %.
    """
    candidates = np.exp(np.arange(np.log(0.2), np.log(5.0), 0.002))
    losses = [_loss(logits / t, truth) / len(truth) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def fit_scaling(logits: Array, truth: NDArray[np.integer]) -> Scaling:
    """The most probable scaling of (N, 7) logits for (N,) classes; one temperature for few."""
    from scipy.optimize import minimize

    wide = logits.astype(np.float64)
    classes = wide.shape[1]
    start = -float(np.log(fit_temperature(wide, truth)))
    if len(truth) < ENOUGH:
        return Scaling(np.full(classes, np.exp(start)), np.zeros(classes))

    def scaling(values: NDArray[np.float64]) -> Scaling:
        return Scaling(np.exp(values[0] + values[1 : classes + 1]), values[classes + 1 :])

    def surprise(values: NDArray[np.float64]) -> float:
        return _loss(scaling(values)(wide), truth) + float((values[1:] ** 2).sum()) / (
            2 * SPREAD**2
        )

    found = minimize(surprise, np.array([start, *[0.0] * (2 * classes)]), method="L-BFGS-B")
    return scaling(found.x)


def abstention_threshold(scores: Array, coverage: float) -> float:
    """The best probability that a share `coverage` of the faces reaches."""
    return float(np.quantile(scores.max(axis=1), 1 - coverage))


def _loss(logits: Array, truth: NDArray[np.integer]) -> float:
    chosen = softmax(logits.astype(np.float64))[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(chosen, 1e-12)).sum())

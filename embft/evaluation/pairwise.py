"""Every pair of many rows of scores at once, as `embft.evaluation.significance.compare` gives each, in a fraction of the time.

How far a difference may be from the truth depends on it by sums of squares alone; these are worked out for all pairs together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from embft.evaluation.dependence import Dependence
from embft.evaluation.weights import Weights

Floats = npt.NDArray[np.float64]

_NEGLIGIBLE = 1e-12
_ALL = 2.0
"""Half of an interval that holds whatever a difference of scores can be."""


@dataclass(frozen=True)
class Differences:
    """Differences of means, each with what `embft.evaluation.significance.Comparison` says of it.

    Attributes:
        delta: float64 [n].
        half: Half the width of the 95% interval around each; to be cut off at -1 and 1.
        p_value: Two-sided, of no difference.
    """

    delta: Floats
    half: Floats
    p_value: Floats


def pairs_of(rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The pairs of so many rows, in the order of `compare_pairs`: (0, 1), (0, 2), ..., (1, 2), ..."""
    first, second = np.triu_indices(rows, 1)
    return first, second


def compare_pairs(
    scores: Floats, dependence: Dependence, weights: Weights | None = None, confidence: float = 0.95
) -> Differences:
    """Each row less each later one.

    Args:
        scores: float64 [n_rows, n_questions], between 0 and 1.
        dependence: Of the questions, in the same order.
        weights: Of the questions; None: all alike.
        confidence: Of the intervals.
    """
    parts = [
        compare_rows(scores[at] - scores[at + 1 :], dependence, weights, confidence) for at in range(len(scores) - 1)
    ]
    names = ("delta", "half", "p_value")
    return Differences(*(np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)]) for name in names))


def compare_rows(
    differences: Floats, dependence: Dependence, weights: Weights | None = None, confidence: float = 0.95
) -> Differences:
    """The means of rows of paired differences.

    Args:
        differences: float64 [n_rows, n_questions].
        dependence: Of the questions, in the same order.
        weights: Of the questions; None: all alike.
        confidence: Of the intervals.
    """
    count, size = differences.shape
    weights = weights or Weights(size)
    delta = weights.mean(differences)
    delta[np.abs(delta) < _NEGLIGIBLE] = 0.0
    values = np.stack([weights.linearised(row) for row in differences]) if weights.shares is not None else differences
    centre = values.mean(axis=1)
    total = ((values - centre[:, None]) ** 2).sum(axis=1)
    remainders = dependence.remainders(values)
    squares, shared = (remainders**2).sum(axis=1), dependence.shared_squares(remainders)
    # As in `compare`: one question more is supposed, on which the two tie.
    spread = (total + weights.penalty * centre**2) / max(1, size - 1) / max(1, size)
    variance, freedom = np.full(count, np.inf), np.full(count, 1.0)
    for row in range(count):
        share = dependence.share_of(float(squares[row]), float(shared[row]), float(total[row]))
        if size > 1 and share is not None:
            variance[row] = spread[row] * dependence.inflation(share)
            freedom[row] = min(dependence.freedom(share), weights.freedom)
    known = np.isfinite(variance)
    error = np.sqrt(np.where(known, variance, 1.0))
    half = np.where(known, stdtrit(freedom, (1 + confidence) / 2) * error, _ALL)
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = np.where(known, 2 * stdtr(freedom, -np.abs(delta) / error), 1.0)
    equal = ~differences.any(axis=1)
    return Differences(np.where(equal, 0.0, delta), np.where(equal, 0.0, half), np.where(equal, 1.0, p_value))

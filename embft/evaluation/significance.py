"""How sure a mean, and a difference of two means, is.

Questions that share relevant chunks are not independent; `embft.evaluation.dependence` estimates the spread of a mean with
what they share. Interval and p-value are two sides of one estimate: a difference is significant at 5% exactly where its 95%
interval leaves out zero. Nothing is drawn at random here, so no figure moves with a seed.

    A difference: Student's t with Satterthwaite's degrees of freedom, around the mean of differences.
    A mean of scores between 0 and 1: Wilson's interval ("Probable inference, the law of succession, and statistical
    inference", JASA 22, 1927) for as many independent questions as the spread stands for, which is how Korn and Graubard
    carry intervals of shares over to surveys ("Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data", Survey Methodology 24(2), 1998). It stays between 0 and 1 and does not shrink to
    nothing where all twenty questions are hits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from embft.evaluation.dependence import Dependence, Spread
from embft.evaluation.figures import ComparisonRow
from embft.evaluation.weights import Weights

Floats = npt.NDArray[np.float64]

_NEGLIGIBLE = 1e-12
"""Sums of differences that rounding makes of zero."""


@dataclass(frozen=True)
class Comparison:
    """System against baseline, over the same questions.

    Attributes:
        delta: Mean of system minus mean of baseline.
        ci95: Interval of delta. The name is the contract's; the level is the ``confidence`` that was asked for.
        p_value: Two-sided, of no difference.
        wins, losses, ties: Questions where the system scores higher, lower, the same.
        effective: Independent questions that these are worth for this difference.
    """

    delta: float
    ci95: tuple[float, float]
    p_value: float
    wins: int
    losses: int
    ties: int
    effective: float

    def row(self, system: str, baseline: str, metric: str) -> ComparisonRow:
        """The comparison with its names, as metrics.json has it."""
        return ComparisonRow(
            system,
            baseline,
            metric,
            delta=self.delta,
            ci95=self.ci95,
            p_value=self.p_value,
            wins=self.wins,
            losses=self.losses,
            ties=self.ties,
            effective=round(self.effective, 1),
        )


def mean_interval(
    scores: Floats, dependence: Dependence, confidence: float = 0.95, weights: Weights | None = None
) -> tuple[float, float]:
    """Interval of a mean score.

    Args:
        scores: float64 [n_questions], each between 0 and 1.
        dependence: Of the questions, in the same order.
        confidence: Share of such intervals that hold the true mean, 0.95 for 95%.
        weights: Of the questions; None: all alike.

    Returns:
        Low and high end, within 0 and 1. Questions that are all about one chunk say nothing about others: then (0, 1).
        NaN twice where there are no questions.
    """
    size = len(scores)
    if size == 0:
        return (float("nan"), float("nan"))
    weights = weights or Weights(size)
    mean, worth = float(weights.mean(scores)), weights.worth
    # One question more is supposed, half of it a hit and half a miss: equal scores then have a spread too.
    middle = (worth * mean + 0.5) / (worth + 1)
    extra = (0.25 + worth / (worth + 1) * (mean - 0.5) ** 2) * weights.penalty
    spread = dependence.spread(weights.linearised(scores), extra=extra)
    if not np.isfinite(spread.variance):
        return (0.0, 1.0)
    quantile = _quantile(min(spread.freedom, weights.freedom), confidence)
    # Over middle * (1 - middle), the variance of hits and misses, this is one over independent questions.
    squared = quantile**2 * spread.variance * (worth - 1) / (worth + 1) / (middle * (1 - middle))
    # |mean - m| <= quantile * sqrt(variance at m), solved for m; the variance goes with m (1 - m).
    half = (squared * mean * (1 - mean) + squared**2 / 4) ** 0.5
    low, high = ((mean + squared / 2 + sign * half) / (1 + squared) for sign in (-1, 1))
    return (max(0.0, min(low, mean)), min(1.0, max(high, mean)))


def compare(
    system: Floats,
    baseline: Floats,
    dependence: Dependence,
    confidence: float = 0.95,
    weights: Weights | None = None,
) -> Comparison:
    """Compares two systems question by question. Swapping the two mirrors every figure exactly.

    Args:
        system: float64 [n_questions], scores between 0 and 1.
        baseline: float64 [n_questions], of the same questions in the same order.
        dependence: Of the questions, in the same order.
        confidence: Of the interval, 0.95 for 95%.
        weights: Of the questions; None: all alike. Wins, losses and ties count questions all the same.

    Returns:
        The comparison. Where no question differs: delta 0, interval [0, 0], p-value 1. Questions that are all about one
        chunk say nothing about others: then the interval is (-1, 1), all that a difference can be, and the p-value 1.

    Raises:
        ValueError: The arrays differ in length.
    """
    if not len(system) == len(baseline) == len(dependence):
        raise ValueError(
            f"{len(system)} and {len(baseline)} scores for {len(dependence)} questions: they must be paired."
        )
    weights = weights or Weights(len(system))
    differences = system - baseline
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    ties = len(differences) - wins - losses
    if not wins and not losses:
        return Comparison(0.0, (0.0, 0.0), 1.0, 0, 0, ties, dependence.effective() / weights.penalty**0.5)
    delta = float(weights.mean(differences))
    if abs(delta) < _NEGLIGIBLE:
        delta = 0.0
    spread = _spread_of_differences(weights.linearised(differences), dependence, weights.penalty)
    effective = spread.effective / weights.penalty**0.5
    if not np.isfinite(spread.variance):
        return Comparison(delta, (-1.0, 1.0), 1.0, wins, losses, ties, effective)
    freedom = min(spread.freedom, weights.freedom)
    half = _quantile(freedom, confidence) * spread.variance**0.5
    p_value = float(2 * stdtr(freedom, -abs(delta) / spread.variance**0.5))
    interval = (max(-1.0, delta - half), min(1.0, delta + half))
    return Comparison(delta, interval, p_value, wins, losses, ties, effective)


def standard_error(differences: Floats, dependence: Dependence) -> float:
    """Standard error of the mean of paired differences; 0 where no question differs or there is but one.

    Questions that are all about one chunk are taken for independent here: a choice has to be made on them all the same.
    """
    if len(differences) < 2 or not differences.any():
        return 0.0
    variance = _spread_of_differences(differences, dependence).variance
    if not np.isfinite(variance):
        variance = _spread_of_differences(differences, Dependence.none(len(differences))).variance
    return float(variance**0.5)


def _spread_of_differences(differences: Floats, dependence: Dependence, penalty: float = 1.0) -> Spread:
    # One question more is supposed, on which the systems tie: without it, three questions that differ by the same would
    # have no spread, and so no doubt. Where the mean is zero it adds nothing.
    return dependence.spread(differences, extra=penalty * float(differences.mean()) ** 2)


def _quantile(freedom: float, confidence: float) -> float:
    return float(stdtrit(freedom, (1 + confidence) / 2))

"""What a test set can tell before anything is spent on it, and how many questions a wished-for precision needs.

Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, for the paired test; Kish, "Survey Sampling", 1965,
section 5.4, for questions that share chunks, which are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from embft.evaluation.dependence import Dependence

POWER = 0.8
"""Chance to see a difference that is there."""
_SIMILAR, _UNLIKE = 0.16, 0.37
"""Spread (standard deviation) of a question's difference in nDCG@10: measured on the 10-K's published questions, tuned
against base and base against BM25."""


@dataclass(frozen=True)
class Power:
    """What a test set can tell.

    Attributes:
        questions: Test questions.
        chunks: Different chunks that are relevant to them.
        effective: Independent questions that they are worth.
        similar: Least difference that is seen with a chance of 80%, between two systems that mostly agree (a model and
            its tuned self).
        unlike: The same between two that do not (BM25 and embeddings).
    """

    questions: int
    chunks: int
    effective: float
    similar: float
    unlike: float


def power_of(dependence: Dependence, confidence: float = 0.95) -> Power:
    """What a test set can tell, from its size alone.

    Args:
        dependence: Of the questions.
        confidence: Of the intervals that will be reported.
    """
    effective = dependence.effective()
    root = math.sqrt(effective) if effective else math.nan
    factor = _factor(confidence)
    return Power(
        len(dependence),
        dependence.chunks,
        round(effective, 1),
        min(1.0, factor * _SIMILAR / root),
        min(1.0, factor * _UNLIKE / root),
    )


def detectable(ci95: Sequence[float], confidence: float = 0.95) -> float:
    """Least difference that would be seen with a chance of 80%, from the interval that was measured."""
    return half_width(ci95) / NormalDist().inv_cdf((1 + confidence) / 2) * _factor(confidence)


def questions_needed(ci95: Sequence[float], questions: int, precision: float) -> int:
    """Questions like these that make the interval as narrow as ``precision`` either way; it shrinks with their root.

    "Like these" is: each of the new ones shares chunks with as few others as these do. Ever more questions about the same
    chunks narrow it less.
    """
    return math.ceil(round(questions * (half_width(ci95) / precision) ** 2, 6))


def half_width(ci95: Sequence[float]) -> float:
    """Half of an interval's width."""
    return (ci95[1] - ci95[0]) / 2


def _factor(confidence: float) -> float:
    """Standard errors between zero and a difference that is seen with a chance of 80%."""
    normal = NormalDist()
    return normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(POWER)

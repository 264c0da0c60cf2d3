"""What a test set can tell before anything is spent on it, and how many questions a wished-for precision needs.

Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, for the paired test; Kish, "Survey Sampling", 1965,
section 5.4, for questions about one chunk, which are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

POWER = 0.8
"""Chance to see a difference that is there."""
_SIMILAR, _UNLIKE = 0.16, 0.37
"""Spread (standard deviation) of a question's difference in nDCG@10: measured on the 10-K's published questions, tuned
against base and base against BM25."""
_WITHIN_CHUNK = 0.3
"""Correlation of differences of two questions about one chunk; 0 to 0.4 in embft's own runs."""


@dataclass(frozen=True)
class Power:
    """What a test set can tell.

    Attributes:
        questions: Test questions.
        chunks: Groups of them that share chunks.
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


def power_of(groups: Any, confidence: float = 0.95) -> Power:
    """What a test set can tell, from its size alone.

    Args:
        groups: int64 [n_questions], from `embft.evaluation.significance.groups_of`.
        confidence: Of the intervals that will be reported.
    """
    questions = len(groups)
    counts = np.bincount(groups) if questions else np.zeros(0, np.int64)
    # The mean size as a question sees it: sum of squares over sum.
    size = float((counts**2).sum() / questions) if questions else 1.0
    effective = questions / (1 + (size - 1) * _WITHIN_CHUNK)
    root = math.sqrt(effective) if effective else math.nan
    factor = _factor(confidence)
    return Power(
        questions,
        len(counts),
        round(effective, 1),
        min(1.0, factor * _SIMILAR / root),
        min(1.0, factor * _UNLIKE / root),
    )


def detectable(ci95: Sequence[float], confidence: float = 0.95) -> float:
    """Least difference that would be seen with a chance of 80%, from the interval that was measured."""
    return half_width(ci95) / NormalDist().inv_cdf((1 + confidence) / 2) * _factor(confidence)


def questions_needed(ci95: Sequence[float], questions: int, precision: float) -> int:
    """Questions like these that make the interval as narrow as ``precision`` either way; it shrinks with their root."""
    return math.ceil(round(questions * (half_width(ci95) / precision) ** 2, 6))


def half_width(ci95: Sequence[float]) -> float:
    """Half of an interval's width."""
    return (ci95[1] - ci95[0]) / 2


def _factor(confidence: float) -> float:
    """Standard errors between zero and a difference that is seen with a chance of 80%."""
    normal = NormalDist()
    return normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(POWER)

"""How far two people, or a person and an LLM, agree.

Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20(1), 1960: agreement beyond
that which the two raters' habits give by chance; its formula 7 for the standard error.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

_95 = NormalDist().inv_cdf(0.975)
Interval = tuple[float, float]


def cohen_kappa(one: Sequence[int], other: Sequence[int]) -> tuple[float | None, Interval | None]:
    """Kappa of two raters' grades of the same things, and its 95% interval; None where both give one and the same grade only.

    Args:
        one, other: Grades, in the same order.

    Example:
        >>> kappa, interval = cohen_kappa([1, 1, 0, 0], [1, 0, 0, 0])
        >>> kappa
        0.5
    """
    count = len(one)
    if not count:
        return None, None
    observed = sum(left == right for left, right in zip(one, other, strict=True)) / count
    ours, theirs = Counter(one), Counter(other)
    expected = sum(ours[grade] * theirs[grade] for grade in ours) / count**2
    if expected >= 1:
        return None, None
    kappa = (observed - expected) / (1 - expected)
    half = _95 * math.sqrt(observed * (1 - observed) / count) / (1 - expected)
    return kappa, (max(-1.0, kappa - half), min(1.0, kappa + half))

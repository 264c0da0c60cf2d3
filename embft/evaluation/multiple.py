"""Tests that are exact, and tests that are many."""

from __future__ import annotations

from collections.abc import Sequence


def mcnemar(wins: float, losses: float, worth: float = 1.0) -> float:
    """Exact two-sided p-value of no difference between two hit rates.

    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", Psychometrika
    12(2), 1947, with the binomial in place of chi-squared: under the null each question that only one system hits is hit
    by either with chance 1/2. Questions that depend on each other count as the independent ones that they are worth; the
    binomial tail is the incomplete beta function, which takes parts of questions too.

    Args:
        wins: Questions that only the system hits.
        losses: Questions that only the baseline hits.
        worth: Independent questions that one of these is worth.
    """
    from scipy.special import betainc  # the comparison of a sweep starts without it

    if not wins and not losses:
        return 1.0
    fewer, more = worth * min(wins, losses), worth * max(wins, losses)
    # The chance of at most ``fewer`` of all trials.
    return float(min(1.0, 2 * betainc(more, fewer + 1, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for the number of tests, in their order: Holm's step-down method.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), 1979: the
    chance of one false finding among all stays below the level, however the tests depend on each other.
    """
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted

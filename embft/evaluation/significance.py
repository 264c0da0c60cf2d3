"""How sure a mean, and a difference of two means, is.

Questions about one chunk are not independent, so chunks are drawn, not questions: the groups are the connected
components of questions that share relevant chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]

_BLOCK_CELLS = 4_000_000
"""Draws held at once: keeps memory flat whatever the number of groups."""


@dataclass(frozen=True)
class Comparison:
    """System against baseline, over the same questions.

    Attributes:
        delta: Mean of system minus baseline.
        ci95: Interval of delta (95% unless the configuration says otherwise).
        p_value: Two-sided, by sign flips; at least 1 / (resamples + 1).
        wins, losses, ties: Questions where the system scores higher, lower, the same.
    """

    delta: float
    ci95: tuple[float, float]
    p_value: float
    wins: int
    losses: int
    ties: int


def groups_of(question_ids: Sequence[str], relevant_docs: Mapping[str, Sequence[str]]) -> Groups:
    """int64 [n_questions]: the group of each question; those that share a relevant chunk share a group (union-find)."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for question_id in question_ids:
        first, *others = relevant_docs[question_id]
        for other in others:
            parent[root(other)] = root(first)
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(root(relevant_docs[q][0]), len(numbers)) for q in question_ids], np.int64)


def mean_interval(
    scores: Floats, groups: Groups, resamples: int = 10_000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean, drawing groups with replacement.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; of clusters: Field and Welsh, 2007.

    Args:
        scores: float64 [n_questions].
        groups: int64 [n_questions].
    """
    if len(scores) == 0:
        return (float("nan"), float("nan"))
    sums, counts = _by_group(scores, groups)
    means = np.concatenate(list(_bootstrap_means(sums, counts, resamples, seed)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return (float(low), float(high))


def compare(
    system: Floats, baseline: Floats, groups: Groups, resamples: int = 10_000, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Paired comparison of per-question scores. Swapping the two mirrors every figure.

    The interval is `mean_interval` of the differences. The p-value is a sign-flip (Fisher randomisation) test by group:
    Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for IR Evaluation", CIKM 2007.
    """
    differences = system - baseline
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    ties = len(differences) - wins - losses
    if not wins and not losses:
        return Comparison(0.0, (0.0, 0.0), 1.0, 0, 0, ties)
    low, high = mean_interval(differences, groups, resamples, confidence, seed)
    p_value = _sign_flip(differences, groups, resamples, seed)
    return Comparison(float(differences.mean()), (low, high), p_value, wins, losses, ties)


def _by_group(scores: Floats, groups: Groups) -> tuple[Floats, Floats]:
    return np.bincount(groups, scores), np.bincount(groups).astype(np.float64)


def _bootstrap_means(sums: Floats, counts: Floats, resamples: int, seed: int) -> Iterator[Floats]:
    """Means of resampled groups, in blocks. How often each group is drawn is one multinomial draw."""
    random = np.random.default_rng(seed)
    size = len(sums)
    even = np.full(size, 1 / size)
    for block in _blocks(resamples, size):
        drawn = random.multinomial(size, even, size=block)  # (B, G)
        yield (drawn @ sums) / (drawn @ counts)


def _sign_flip(differences: Floats, groups: Groups, resamples: int, seed: int) -> float:
    sums, _ = _by_group(differences, groups)
    observed = abs(sums.sum())
    random = np.random.default_rng(seed)
    extreme = 0
    for block in _blocks(resamples, len(sums)):
        signs = random.integers(0, 2, size=(block, len(sums)), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ sums) >= observed - 1e-12).sum())
    return (extreme + 1) / (resamples + 1)


def _blocks(resamples: int, size: int) -> Iterator[int]:
    step = max(1, _BLOCK_CELLS // size)
    for start in range(0, resamples, step):
        yield min(step, resamples - start)

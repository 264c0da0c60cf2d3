"""The best of a question's scores, exactly, without putting all of them in order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Best = tuple[npt.NDArray[np.int64], Scores]
"""Places of a question's best chunks and their scores, best first."""

_GROUPS = 16  # of scores, times the depth of the ranking, whose maxima bound what can be among the best


def best_of(row: Scores, depth: int, *, floor: float | None = None, rounded: bool = True) -> Best:
    """Positions and scores of the ``depth`` highest ones above a floor, best first, ties in order of position. Exact.

    Args:
        row: float32 [n].
        depth: One at least.
        floor: What a score must exceed.
        rounded: Whether the scores are rounded to 1e-6 already; else those that may be among the best are.
    """
    bound = _bound(row, depth)
    if not rounded:
        bound = bound - np.float32(2e-6) * (1 + abs(bound))  # two scores that far apart may be one, rounded
    places = np.flatnonzero(row >= bound)
    if floor is not None and bound <= floor:
        places = np.flatnonzero(row > floor)
    scores = row[places] if rounded else np.round(row[places], 6)
    if len(scores) > 4 * depth:  # many ties: the first ones are enough
        least = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        above = np.flatnonzero(scores > least)
        kept = np.sort(np.concatenate([above, np.flatnonzero(scores == least)[: depth - len(above)]]))
        places, scores = places[kept], scores[kept]
    if floor is not None:
        places, scores = places[scores > floor], scores[scores > floor]
    order = np.argsort(-scores, kind="stable")[:depth]
    return places[order].astype(np.int64), scores[order]


def _bound(row: Scores, depth: int) -> np.float32:
    """At most the ``depth``-th highest score, and close to it: as many groups of scores have a maximum that high."""
    groups = _GROUPS * depth
    folds = len(row) // groups
    maxima = row if folds < 2 else row[: groups * folds].reshape(folds, groups).max(axis=0)
    last = len(maxima) - depth
    bound: np.float32 = np.partition(maxima, last)[last] if last > 0 else maxima.min(initial=0)
    return bound


def top(row: Scores, depth: int) -> npt.NDArray[np.int64]:
    """Positions of the ``depth`` highest scores, best first, ties in order of position. Exact."""
    return best_of(row, depth)[0]

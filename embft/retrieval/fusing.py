"""All mixes of two scorers at once: each question is scored once, and every weight chooses among what any of them can reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embft.records import Ranking
from embft.retrieval.scoring import Scorer, Scores, best_of, blocks, min_max

_LEVELS = 64
_SLACK = 5e-6
"""Mixed scores are rounded to 1e-6."""


def rank_mixes(
    dense: Scorer,
    lexical: Scorer,
    weights: Sequence[float],
    question_ids: Sequence[str],
    chunk_ids: Sequence[str],
    *,
    depth: int,
    floor: float,
) -> list[Ranking]:
    """Rankings by `embft.retrieval.scoring.FusedScorer` of each weight, the same to the last bit.

    Args:
        weights: Shares of ``dense``, 0..1.
        depth: Chunks kept per question.
        floor: What a lexical score must exceed where that is the whole of the mix.
    """
    rankings = [Ranking("fused", "fused", {}, {}) for _ in weights]
    kept: list[dict[str, tuple[tuple[str, ...], tuple[float, ...]]]] = [{} for _ in weights]
    for start, end in blocks(dense):
        pairs = zip(dense.scores(start, end), lexical.scores(start, end), strict=True)
        for question, (by_dense, by_words) in zip(question_ids[start:end], pairs, strict=True):
            for rows, (places, scores) in zip(
                kept, _best_by_weight(by_dense, by_words, weights, depth, floor), strict=True
            ):
                rows[question] = (tuple(chunk_ids[place] for place in places.tolist()), tuple(scores.tolist()))
    return [
        Ranking(
            one.system,
            one.score_name,
            {key: ids for key, (ids, _) in rows.items()},
            {key: scores for key, (_, scores) in rows.items()},
        )
        for one, rows in zip(rankings, kept, strict=True)
    ]


def _best_by_weight(
    by_dense: Scores, by_words: Scores, weights: Sequence[float], depth: int, floor: float
) -> list[tuple[npt.NDArray[np.int64], Scores]]:
    dense, words = min_max(by_dense[None])[0], min_max(by_words[None])[0]
    ends = best_of(by_words, depth, floor=floor), best_of(by_dense, depth)
    inner = [weight for weight in weights if 0 < weight < 1]
    places = _reachable(dense, words, inner, depth, ends[1][0])
    near_dense, near_words = dense[places], words[places]
    best = []
    for weight in weights:
        if weight <= 0 or weight >= 1:
            best.append(ends[weight >= 1])
            continue
        mixed = np.round(np.float32(weight) * near_dense + np.float32(1 - weight) * near_words, 6)
        order, scores = best_of(mixed, depth)
        best.append((places[order], scores))
    return best


def _reachable(
    dense: Scores, words: Scores, weights: Sequence[float], depth: int, best: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Chunks that can be among the best by any weight, in order; int64.

    What the best chunks by either score reach is a bound for each weight. From the lexical score of a chunk, in steps,
    follows how high its dense score must be at least for one of the weights.

    Args:
        dense, words: float32 [n], 0 to 1.
        weights: Between 0 and 1.
        best: The best ones by ``dense``.
    """
    if depth >= len(dense) or not weights:
        return np.arange(len(dense))
    known = np.union1d(best, best_of(words, depth)[0])
    shares = np.array(weights)[:, None]
    mixed = shares * dense[known] + (1 - shares) * words[known]  # (weights, known)
    least = np.partition(mixed, mixed.shape[1] - depth, axis=1)[:, mixed.shape[1] - depth, None] - _SLACK
    highest = np.minimum((np.arange(_LEVELS + 1) + 1) / _LEVELS, 1) + _SLACK
    needed = ((least - (1 - shares) * highest) / shares).min(axis=0).astype(np.float32) - np.float32(_SLACK)
    levels = (words * np.float32(_LEVELS)).astype(np.uint8)
    return np.flatnonzero(dense >= needed[levels])

"""BM25, the vectors and all mixes of the two from one pass: each question is scored once, and every weight chooses among what any
of them can reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embft.records import Ranking
from embft.retrieval.best_chunks import Best, best_of
from embft.retrieval.scoring import Scorer, Scores, block_of, min_max, ranking_of

_LEVELS = 64
_SLACK = 5e-6
"""Mixed scores are rounded to 1e-6."""
_DENSE, _WORDS = 1.0, 0.0
"""The weights that are one scorer alone, whose other scores must not even break ties."""


@dataclass(frozen=True)
class Reachable:
    """The chunks of one question that can be among the best by any weight, with both scores.

    Attributes:
        places: int32 [n], in order.
        dense, words: float32 [n], min-max scaled over all chunks.
        by_dense, by_words: The best by either alone: places, and scores as they are.
    """

    places: npt.NDArray[np.int32]
    dense: Scores
    words: Scores
    by_dense: Best
    by_words: Best

    @classmethod
    def of(cls, dense: Scores, words: Scores, weights: Sequence[float], depth: int, floor: float) -> Reachable:
        """Of a question's scores for all chunks; float32 [n_chunks] each."""
        by_words, by_dense = best_of(words, depth, floor=floor), best_of(dense, depth)
        dense, words = min_max(dense[None])[0], min_max(words[None])[0]
        inner = [weight for weight in weights if _WORDS < weight < _DENSE]
        places = _reachable(dense, words, inner, depth, by_dense[0])
        return cls(places.astype(np.int32), dense[places], words[places], by_dense, by_words)

    def best(self, weight: float, depth: int) -> Best:
        """The best chunks by one of the weights."""
        if weight >= _DENSE:
            return self.by_dense
        if weight <= _WORDS:
            return self.by_words
        mixed = np.round(np.float32(weight) * self.dense + np.float32(1 - weight) * self.words, 6)
        order, scores = best_of(mixed, depth)
        return self.places[order].astype(np.int64), scores


@dataclass(frozen=True)
class ReachableOfEach:
    """What any mix of two scorers can reach, of each question; see `embft.retrieval.passes.Pass`.

    Attributes:
        weights: Shares of ``dense``, 0..1, that may be asked for.
        depth: Chunks kept per question.
        floor: What a lexical score must exceed where that is the whole of the mix.
    """

    dense: Scorer
    words: Scorer
    weights: Sequence[float]
    depth: int
    floor: float

    @property
    def n_questions(self) -> int:
        """Rows."""
        return self.dense.n_questions

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return self.dense.n_chunks

    @property
    def block(self) -> int:
        """See `embft.retrieval.passes.Pass`."""
        return block_of(self.dense)

    def rows(self, start: int, end: int) -> list[Reachable]:
        """See `embft.retrieval.passes.Pass`: each question is scored once by both."""
        pairs = zip(self.dense.scores(start, end), self.words.scores(start, end), strict=True)
        return [Reachable.of(*pair, self.weights, self.depth, self.floor) for pair in pairs]


@dataclass(frozen=True)
class Mixes:
    """All mixes of two scorers.

    Attributes:
        question_ids: Of the rows.
        chunk_ids: Of the columns, sorted.
        depth: Chunks kept per question.
        rows: Of each question (`ReachableOfEach`).
    """

    question_ids: Sequence[str]
    chunk_ids: Sequence[str]
    depth: int
    rows: Sequence[Reachable]

    def ranking(self, weight: float, system: str = "fused", score_name: str = "fused") -> Ranking:
        """By `embft.retrieval.scoring.FusedScorer` of a weight, the same to the last bit; 1 and 0: by one scorer alone."""
        best = (row.best(weight, self.depth) for row in self.rows)
        return ranking_of(best, self.question_ids, self.chunk_ids, system, score_name)


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
    if not weights:
        return np.zeros(0, np.int64)
    if depth >= len(dense):
        return np.arange(len(dense))
    known = np.union1d(best, best_of(words, depth)[0])
    shares = np.array(weights)[:, None]
    mixed = shares * dense[known] + (1 - shares) * words[known]  # (weights, known)
    least = np.partition(mixed, mixed.shape[1] - depth, axis=1)[:, mixed.shape[1] - depth, None] - _SLACK
    highest = np.minimum((np.arange(_LEVELS + 1) + 1) / _LEVELS, 1) + _SLACK
    needed = ((least - (1 - shares) * highest) / shares).min(axis=0).astype(np.float32) - np.float32(_SLACK)
    levels = (words * np.float32(_LEVELS)).astype(np.uint8)
    return np.flatnonzero(dense >= needed[levels])

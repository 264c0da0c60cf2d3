"""What dev chose for the system ``reranked``, and the orders that it makes of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embft.records import Ranking
from embft.retrieval.scoring import Scores

NOT_AMONG = -1e9
"""The score of a chunk that is not among a question's candidates: it is not retrieved."""


@dataclass(frozen=True)
class Reranking:
    """The mix that dev chose.

    Attributes:
        weight: Share of the reranker, 0 to 1; the rest is the fusion's.
        kind: ``late``, ``cross_encoder`` or ``api``.
        reranker: Its name.
        first: Chunks that are reordered.
        chosen: Whether dev chose the weight; else it was given, or there are no dev questions.
        metric: The dev metric that chose.
        curve: Weight and the metric on dev; empty where dev did not choose.
        weights: Digest of a cross-encoder's files; empty for the others.
    """

    weight: float
    kind: str
    reranker: str
    first: int
    chosen: bool
    metric: str
    curve: Sequence[tuple[float, float]]
    weights: str = ""


@dataclass(frozen=True)
class ScoredCandidates:
    """One question's candidates.

    Attributes:
        chunk_ids: As the fusion orders them; those beyond the reordered ones included.
        fused: float32 [n_chunk_ids]: the fusion's scores.
        reranked: float32 [n_reordered]: the reranker's scores of the first of them.
    """

    chunk_ids: tuple[str, ...]
    fused: Scores
    reranked: Scores

    def mixed(self, weight: float) -> Scores:
        """float32 [n_chunk_ids]: scores in which the first candidates take their new order and the others stay behind them.

        Both are scaled to 0..1 over the candidates first; at the ends of the scale the other score must not even break ties.
        """
        count = len(self.reranked)
        head = self.fused[:count]
        if weight >= 1:
            scores = self.reranked.astype(np.float32)
        elif weight <= 0:
            scores = head
        else:
            scores = np.float32(weight) * _scaled(self.reranked) + np.float32(1 - weight) * _scaled(head)
        scores = np.round(scores, 6)
        lowest = float(scores.min()) if count else 0.0
        tail = lowest - 1 - np.arange(len(self.chunk_ids) - count, dtype=np.float32)
        return np.concatenate([scores, tail]).astype(np.float32)


@dataclass(frozen=True)
class CandidateScorer:
    """Scores of a few chunks for each question; see `embft.retrieval.scoring.Scorer`.

    Attributes:
        places: For each question, int64: the columns of its candidates.
        values: float32, parallel to ``places``.
        n_chunks: Columns.
    """

    places: Sequence[npt.NDArray[np.int64]]
    values: Sequence[Scores]
    n_chunks: int

    @property
    def n_questions(self) -> int:
        """Rows."""
        return len(self.places)

    def scores(self, start: int, end: int) -> Scores:
        """See `Scorer`."""
        block = np.full((end - start, self.n_chunks), NOT_AMONG, np.float32)
        for row in range(start, end):
            block[row - start, self.places[row]] = self.values[row]
        return block


def weights_of(identity: str) -> str:
    """The digest in a cross-encoder's identity (`embft.models.cross_encoder.PairModel`); empty for another reranker."""
    kind, _, rest = identity.partition(":")
    return rest.partition(":")[0] if kind == "cross_encoder" else ""


def ranked(candidates: Mapping[str, ScoredCandidates], weight: float) -> Ranking:
    """The ranking that a weight makes; ties by chunk id."""
    ids: dict[str, tuple[str, ...]] = {}
    scores: dict[str, tuple[float, ...]] = {}
    for question_id, one in candidates.items():
        values = one.mixed(weight)
        order = sorted(range(len(values)), key=lambda at: (-values[at], one.chunk_ids[at]))
        ids[question_id] = tuple(one.chunk_ids[at] for at in order)
        scores[question_id] = tuple(float(values[at]) for at in order)
    return Ranking("reranked", "reranked", ids, scores)


def _scaled(scores: Scores) -> Scores:
    if not len(scores):
        return scores
    span = float(scores.max() - scores.min())
    scaled: Scores = ((scores - scores.min()) / np.float32(span if span > 0 else 1)).astype(np.float32)
    return scaled

"""Search by an approximate index: the scorer that finds what the index finds, and how much of the exact search that is."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embft.config import RetrievalConfig
from embft.models.vectors import AnyVectors
from embft.retrieval.best_chunks import best_of
from embft.retrieval.faiss_index import FaissIndex, Places, faiss_index
from embft.retrieval.scoring import DenseScorer, Scorer, Scores

_DEPTHS = (10, 100)
_MOST_QUESTIONS = 1000
"""Of more questions the first ones are searched exactly, too."""
_BELOW = np.float32(2e-6)
"""By how much what was not found scores below the worst that was: more than rounding makes of it."""


@dataclass(frozen=True)
class IndexFacts:
    """What an index of a system is worth.

    Attributes:
        kind: Which.
        vectors: In it.
        bytes: That it takes, without the float32 vectors that rescoring reads.
        build_seconds: On this machine.
        questions: That were searched exactly, too.
        recall: ``10`` and ``100`` to the share of the exact search's first so many chunks that are among the index's.
        query_ms, exact_ms: To search for one question by the index, and exactly; many were asked at once.
    """

    kind: str
    vectors: int
    bytes: int
    build_seconds: float
    questions: int
    recall: dict[str, float]
    query_ms: float
    exact_ms: float


@dataclass(frozen=True)
class IndexWorth:
    """The same by system."""

    systems: dict[str, IndexFacts]


@dataclass(frozen=True, eq=False)
class IndexedScorer:
    """Scores what an index finds; a chunk as its best window that is found. All others score less than any of these.

    So the scale of a fusion goes from the worst chunk that was found to the best one, and its weight is chosen on that.

    Attributes:
        exact: The vectors.
        index: Over the same passages.
        retrieval: How many chunks a ranking needs, and how many candidates are rescored for each.
    """

    exact: DenseScorer
    index: FaissIndex
    retrieval: RetrievalConfig

    @property
    def n_questions(self) -> int:
        """Rows."""
        return self.exact.n_questions

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return self.exact.n_chunks

    @property
    def passages(self) -> AnyVectors:
        """float32 [n_passages, dim]."""
        return self.exact.passages

    def asking(self, questions: Scores) -> IndexedScorer:
        """The same index, asked other questions."""
        return IndexedScorer(self.exact.asking(questions), self.index, self.retrieval)

    def scores(self, start: int, end: int) -> Scores:
        """See `Scorer`."""
        wanted = min(self.retrieval.depth, self.n_chunks)
        table = np.full((end - start, self.n_chunks), -np.inf, np.float32)
        left, harder = np.arange(end - start), 1
        while len(left):
            count = self._candidates(wanted) * harder
            if count >= len(self.exact.passages):
                for row in left.tolist():
                    table[row] = self.exact.scores(start + row, start + row + 1)[0]
                break
            asked = self.exact.questions[start + left]
            for row, question, places in zip(
                left.tolist(), asked, self.index.nearest(asked, count, harder), strict=True
            ):
                self._score(table[row], question, places[places >= 0])
            # Many windows of few chunks, or cells with few vectors: those questions are asked again, harder.
            left, harder = left[np.isfinite(table[left]).sum(axis=1) < wanted], 2 * harder
        least = np.where(np.isfinite(table), table, np.inf).min(axis=1, keepdims=True)
        below = np.minimum(least - _BELOW, np.nextafter(least, np.float32(-np.inf)))
        return np.where(np.isfinite(table), table, below)

    def facts(self) -> IndexFacts:
        """Asks some questions by the index and exactly."""
        count = min(self.n_questions, _MOST_QUESTIONS)
        kept = [depth for depth in _DEPTHS if depth <= self.retrieval.depth]
        deepest, shares = max(kept), dict.fromkeys(kept, 0.0)
        seconds = [0.0, 0.0]
        for start in range(0, count, 32):
            end = min(start + 32, count)
            began = time.perf_counter()
            found = self.scores(start, end)
            between = time.perf_counter()
            exact = self.exact.scores(start, end)
            seconds = [seconds[0] + between - began, seconds[1] + time.perf_counter() - between]
            for ours, theirs in zip(found, exact, strict=True):
                places, true = best_of(ours, deepest)[0], best_of(theirs, deepest)[0]
                for depth in kept:
                    shares[depth] += len(np.intersect1d(places[:depth], true[:depth])) / len(true[:depth])
        per_question = [1000 * one / max(count, 1) for one in seconds]
        recall = {str(depth): round(share / max(count, 1), 4) for depth, share in shares.items()}
        index = self.index
        return IndexFacts(
            index.settings.kind, index.size, index.bytes, index.build_seconds, count, recall,
            round(per_question[0], 3), round(per_question[1], 3),
        )  # fmt: skip

    def _candidates(self, wanted: int) -> int:
        """Windows to ask for, so that there are chunks enough after MaxP, and for rescoring some more."""
        a_chunk = len(self.exact.passages) / max(self.n_chunks, 1)
        times = 1 if self.index.settings.kind == "hnsw" else max(1, self.retrieval.faiss.rescore)
        return math.ceil(wanted * a_chunk * times)

    def _score(self, row: Scores, question: Scores, places: Places) -> None:
        """Puts the scores of some windows into a question's row; float32 [n_chunks]."""
        places = np.sort(places)  # as they lie in the file
        products = np.round(self.exact.passages[places] @ question, 6)
        owners = np.searchsorted(self.exact.starts, places, side="right") - 1
        np.maximum.at(row, owners, products)


def indexed(scorers: Mapping[str, Scorer], retrieval: RetrievalConfig, folder: Path) -> dict[str, Scorer]:
    """Scorers by vectors, each with an index in front; cosine and dot share one where they are one.

    Args:
        folder: Where files of indexes lie.
    """
    made: dict[int, Scorer] = {}
    for scorer in scorers.values():
        if isinstance(scorer, DenseScorer) and id(scorer) not in made:
            made[id(scorer)] = IndexedScorer(scorer, faiss_index(scorer.passages, retrieval.faiss, folder), retrieval)
    return {name: made.get(id(scorer), scorer) for name, scorer in scorers.items()}

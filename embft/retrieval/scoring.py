"""Systems as scorers: a block of questions in, a score for every chunk out; and the ranking made of them.

Every system is an object with ``scores(start, end) -> float32 [end - start, n_chunks]``. Working in blocks of questions
keeps memory flat at any size of the corpus.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from embft.errors import EndpointError
from embft.models.vectors import AnyVectors, StoredVectors, is_unit, mapped, unit
from embft.records import Passages, Ranking
from embft.retrieval.best_chunks import Best, best_of
from embft.retrieval.best_windows import PositionFirst
from embft.retrieval.passes import every_row

Scores = npt.NDArray[np.float32]
_BLOCK_BYTES = 64 << 20
_FEWEST, _MOST_BYTES = 32, 512 << 20  # questions of a block, unless their scores take more than that
_IN_MEMORY = 256 << 20  # bytes of vectors that are laid out once; more are read anew for each block of questions
_CHUNKS = 1 << 13  # whose windows are multiplied at once


class Scorer(Protocol):
    """Anything that scores chunks for questions."""

    @property
    def n_questions(self) -> int:
        """Rows."""

    @property
    def n_chunks(self) -> int:
        """Columns."""

    def scores(self, start: int, end: int) -> Scores:
        """Scores of questions start..end for every chunk; float32 [end - start, n_chunks]."""


@dataclass(frozen=True)
class DenseScorer:
    """Inner products of question and passage vectors; a chunk scores as its best window.

    Attributes:
        questions: float32 [n_questions, dim].
        passages: float32 [n_windows, dim], in memory or on the disk.
        starts: int64 [n_chunks]: where each chunk's windows begin.
    """

    questions: Scores
    passages: AnyVectors
    starts: npt.NDArray[np.int64]

    @property
    def n_questions(self) -> int:
        """Rows."""
        return len(self.questions)

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return len(self.starts)

    def asking(self, questions: Scores) -> DenseScorer:
        """The same passages, laid out once, asked other questions: a server's come one after the other."""
        assert self._windows is not None
        other = copy.copy(self)
        object.__setattr__(other, "questions", questions)
        return other

    @cached_property
    def _windows(self) -> Sequence[tuple[PositionFirst, AnyVectors]]:
        """Blocks of chunks as the layout of their windows, and these windows' vectors in it, on the disk if there are many."""
        every = np.diff(self.starts, append=len(self.passages))  # once: each block keeps a view of it
        laid: list[tuple[PositionFirst, AnyVectors]] = []
        for first in range(0, len(self.starts), _CHUNKS):
            starts, counts = self.starts[first : first + _CHUNKS], every[first : first + _CHUNKS]
            layout = PositionFirst(counts)
            sources = starts[0] + layout.sources()
            if isinstance(self.passages, StoredVectors) and self.passages.nbytes > _IN_MEMORY:
                laid.append((layout, self.passages.at(sources)))
            else:
                laid.append((layout, self.passages[sources]))
        return laid

    def unrounded(self, start: int, end: int) -> Scores:
        """The products as they are: what `rank` chooses candidates from, of which alone it rounds the scores."""
        questions = self.questions[start:end]
        if len(self.starts) == len(self.passages) and not isinstance(self.passages, StoredVectors):
            whole: Scores = questions @ self.passages.T
            return whole
        scores = np.empty((len(questions), len(self.starts)), np.float32)
        first = 0
        for layout, vectors in self._windows:
            stop = first + len(layout.counts)
            scores[:, first:stop] = layout.best(questions @ vectors[:].T)
            first = stop
        if isinstance(self.passages, StoredVectors):
            self.passages.let_go()
        return scores

    def scores(self, start: int, end: int) -> Scores:
        """See `Scorer`. Rounded to 1e-6, so that equal texts tie however the matrix product is cut into blocks."""
        scores = self.unrounded(start, end)
        return np.round(scores, 6, out=scores)


@dataclass(frozen=True)
class TableScorer:
    """Scores that were worked out before.

    Attributes:
        table: float32 [n_questions, n_chunks].
    """

    table: Scores

    @property
    def n_questions(self) -> int:
        """Rows."""
        return len(self.table)

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return int(self.table.shape[1])

    def scores(self, start: int, end: int) -> Scores:
        """See `Scorer`. Rounded to 1e-6, as `DenseScorer`'s are."""
        return np.round(self.table[start:end], 6)


@dataclass(frozen=True)
class FusedScorer:
    """A convex mix of two scorers, each question's scores min-max scaled to 0..1 first.

    Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023, find it better than
    reciprocal rank fusion once the weight is tuned.

    Attributes:
        weight: Share of ``dense``, 0..1.
    """

    dense: Scorer
    lexical: Scorer
    weight: float

    @property
    def n_questions(self) -> int:
        """Rows."""
        return self.dense.n_questions

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return self.dense.n_chunks

    def scores(self, start: int, end: int) -> Scores:
        """See `Scorer`."""
        # At the ends of the scale the other scorer must not even break ties: weight 1 is the dense system itself.
        if self.weight >= 1:
            return self.dense.scores(start, end)
        if self.weight <= 0:
            return self.lexical.scores(start, end)
        dense, lexical = min_max(self.dense.scores(start, end)), min_max(self.lexical.scores(start, end))
        mixed: Scores = np.float32(self.weight) * dense + np.float32(1 - self.weight) * lexical
        return np.round(mixed, 6)


def min_max(scores: Scores) -> Scores:
    """Scales each row to 0..1; a row of equal scores becomes zeros."""
    low = scores.min(axis=1, keepdims=True)
    span = scores.max(axis=1, keepdims=True) - low
    scaled: Scores = (scores - low) / np.where(span > 0, span, 1)
    return scaled


def dense_scorers(questions: Scores, passages: AnyVectors, layout: Passages) -> dict[str, DenseScorer]:
    """Scorers by score function, ``cosine`` and ``dot``; the same object twice where vectors have length 1.

    Raises:
        EndpointError: Questions and passages have vectors of different lengths, as two models of an API may.
    """
    if len(questions) and len(passages) and questions.shape[1] != passages.shape[1]:
        raise EndpointError(
            f"Vectors of questions have {questions.shape[1]:,} numbers and those of passages {passages.shape[1]:,}, so they "
            "cannot be compared: check model and query_model of the embeddings endpoint."
        )
    starts = layout.starts
    dot = DenseScorer(questions, passages, starts)
    if is_unit(questions) and is_unit(passages):
        return {"cosine": dot, "dot": dot}
    return {"cosine": DenseScorer(unit(questions), mapped(passages, unit), starts), "dot": dot}


def block_of(scorer: Scorer, *, by_product: bool = True) -> int:
    """Questions that are scored at once.

    Args:
        by_product: Scores come of a matrix product, which is quick on many questions at once.
    """
    row = 4 * max(1, scorer.n_chunks)
    # Few questions at once would read the vectors of a large corpus again and again.
    fewest = min(_FEWEST, _MOST_BYTES // row)
    return max(1, _BLOCK_BYTES // row, fewest) if by_product else max(1, _BLOCK_BYTES // (4 * row))


@dataclass(frozen=True)
class BestOfEach:
    """The best chunks of each question by one scorer; see `embft.retrieval.passes.Pass`.

    Attributes:
        depth: Chunks kept per question.
        floor: Chunks that score no higher are not retrieved; BM25's 0 says that no word is shared.
    """

    scorer: Scorer
    depth: int
    floor: float | None = None

    @property
    def n_questions(self) -> int:
        """Rows."""
        return self.scorer.n_questions

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return self.scorer.n_chunks

    @property
    def block(self) -> int:
        """See `embft.retrieval.passes.Pass`."""
        return block_of(self.scorer, by_product=isinstance(self.scorer, DenseScorer))

    def rows(self, start: int, end: int) -> list[Best]:
        """See `embft.retrieval.passes.Pass`."""
        scorer, exact = self.scorer, isinstance(self.scorer, DenseScorer)
        scores = scorer.unrounded(start, end) if isinstance(scorer, DenseScorer) else scorer.scores(start, end)
        return [best_of(row, self.depth, floor=self.floor, rounded=not exact) for row in scores]


def rank(
    scorer: Scorer,
    question_ids: Sequence[str],
    chunk_ids: Sequence[str],
    *,
    system: str,
    score_name: str,
    depth: int,
    floor: float | None = None,
) -> Ranking:
    """Orders the best ``depth`` chunks of each question: by score, ties by chunk id (``chunk_ids`` must be sorted)."""
    best = every_row(BestOfEach(scorer, depth, floor))
    return ranking_of(best, question_ids, chunk_ids, system, score_name)


def ranking_of(
    best: Iterable[Best], question_ids: Sequence[str], chunk_ids: Sequence[str], system: str, score_name: str
) -> Ranking:
    """Places and scores of each question's best chunks, as a ranking."""
    ids: dict[str, tuple[str, ...]] = {}
    scores: dict[str, tuple[float, ...]] = {}
    for question, (places, values) in zip(question_ids, best, strict=True):
        ids[question] = tuple(map(chunk_ids.__getitem__, places.tolist()))
        scores[question] = tuple(values.tolist())
    return Ranking(system, score_name, ids, scores)

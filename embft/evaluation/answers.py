"""What of the answers is handed over: metrics that count tokens of text, not chunks.

A ranking of chunks of 512 tokens hands an LLM eight times the text that one of 64 does, so figures that count chunks say nothing
about which of the two is better. Here a ranking is read as one text, best chunk first, and a question is answered once its
evidence has been read whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from embft.config import ANSWER_METRICS
from embft.evaluation.metrics import PerQuestion
from embft.records import Chunk, Piece, Ranking, RetrievalDataset
from embft.text.tokens import count

Around = Mapping[str, Sequence[str]]
"""Chunk id to the chunks that are handed over for it, itself among them, in reading order."""

_BUDGETS = {name: int(name.partition("@")[2]) for name in ANSWER_METRICS}


class HandedOver:
    """What a ranking hands over, and where in it a question is answered.

    Args:
        texts: Chunk id to text, of all chunks that are searched.
        evidence: Question id to its alternatives (`embft.records.Splits.evidence`). A question that is not named is answered by
            any relevant chunk, read whole.
        around: A chunk that is not named is handed over alone.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        evidence: Mapping[str, Sequence[Sequence[Piece]]] | None = None,
        around: Around | None = None,
    ) -> None:
        self._texts = texts
        self._evidence = evidence or {}
        self._around = around or {}
        self._tokens: dict[str, int] = {}  # of chunks, as they are needed

    def scores(self, ranking: Ranking, dataset: RetrievalDataset, relevant_from: int = 1) -> PerQuestion:
        """``answer@N``: 1 where the answer lies whole within the first N tokens, else 0; float64 [n_questions] for each N."""
        read = self.tokens_to_answer(ranking, dataset, relevant_from)
        return {name: (read <= budget).astype(np.float64) for name, budget in _BUDGETS.items()}

    def tokens_to_answer(
        self, ranking: Ranking, dataset: RetrievalDataset, relevant_from: int = 1
    ) -> npt.NDArray[np.float64]:
        """Tokens that are read, best chunk first, until a question is answered.

        Tokens are those of `embft.text.tokens`, so they mean the same text for every model. Of a chunk, those count up to
        where its part of the evidence ends.

        Args:
            ranking: Best first.
            dataset: Its questions, in order.
            relevant_from: Grade from which a chunk answers, for questions that are judged by chunks.

        Returns:
            float64 [n_questions]; infinite where the ranking, up to the largest N, does not answer.
        """
        return np.array([self._read(question_id, ranking, dataset, relevant_from) for question_id in dataset.queries])

    def _read(self, question_id: str, ranking: Ranking, dataset: RetrievalDataset, relevant_from: int) -> float:
        alternatives = self._evidence.get(question_id) or [
            (Piece(chunk_id, 0, 1, self._count(chunk_id)),)
            for chunk_id in dataset.relevant_docs[question_id]
            if dataset.grade(question_id, chunk_id) >= relevant_from and chunk_id in self._texts
        ]
        begins = dict(self._begins(ranking.chunk_ids.get(question_id, ())))
        return min((_completed(pieces, begins) for pieces in alternatives), default=np.inf)

    def _begins(self, ranked: Sequence[str]) -> Iterator[tuple[str, int]]:
        """Chunks in the order in which they are handed over, each with the tokens before it."""
        handed: set[str] = set()
        before = 0
        for chunk_id in ranked:
            for one in self._around.get(chunk_id, (chunk_id,)):
                if one in handed or one not in self._texts:  # a neighbour of another split is not searched
                    continue
                if before >= max(_BUDGETS.values()):
                    return
                handed.add(one)
                yield one, before
                before += self._count(one)

    def _count(self, chunk_id: str) -> int:
        if chunk_id not in self._tokens:
            self._tokens[chunk_id] = count(self._texts[chunk_id])
        return self._tokens[chunk_id]


def _completed(pieces: Sequence[Piece], begins: Mapping[str, int]) -> float:
    """Tokens after which all that chunks hold of an alternative has been read; where chunks overlap, either will do."""
    arrivals = sorted(
        (begins[piece.chunk_id] + piece.tokens, piece.first, piece.last) for piece in pieces if piece.chunk_id in begins
    )
    wanted = _covered((piece.first, piece.last) for piece in pieces)
    for number, (tokens, _, _) in enumerate(arrivals, start=1):
        if _covered((first, last) for _, first, last in arrivals[:number]) == wanted:
            return float(tokens)
    return float("inf")


def _covered(spans: Iterable[tuple[int, int]]) -> int:
    """Characters that at least one span covers."""
    total = end = 0
    for first, last in sorted(spans):
        total += max(0, last - max(first, end))
        end = max(end, last)
    return total


def around_of(chunks: Sequence[Chunk], expand: str) -> Around:
    """What is handed over for each chunk.

    Args:
        chunks: In reading order.
        expand: ``none``, ``neighbours`` (the chunks before and after it in its document) or ``page``. A chunk of a file that
            has no pages is handed over alone: its document is no page.
    """
    if expand == "none":
        return {}
    groups: dict[tuple[str, int | None], list[str]] = {}
    for chunk in chunks:
        if expand == "page" and chunk.page is None:
            continue
        where = (chunk.document, chunk.page if expand == "page" else None)
        groups.setdefault(where, []).append(chunk.id)
    if expand == "page":
        return {chunk_id: tuple(ids) for ids in groups.values() for chunk_id in ids}
    return {chunk_id: tuple(ids[max(0, at - 1) : at + 2]) for ids in groups.values() for at, chunk_id in enumerate(ids)}

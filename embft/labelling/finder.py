"""BM25 for a person at a page: what a search box finds, and how far a question's words give its chunk away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embft.config import RetrievalConfig
from embft.embedded_text import IndexedCorpus
from embft.retrieval.bm25 import BM25Scorer


@dataclass(frozen=True)
class Trace:
    """How far a question's words give its chunk away.

    Attributes:
        rank: The place at which BM25 finds the chunk, from 1; None where they share no word.
        of: How many chunks share a word with the question.
    """

    rank: int | None
    of: int


class Finder:
    """An index that is built once and asked one question after the other.

    Args:
        corpus: Chunk id to what is searched.
        config: The settings of BM25.
    """

    def __init__(self, corpus: IndexedCorpus, config: RetrievalConfig) -> None:
        self._ids = tuple(corpus)
        self._places = {chunk_id: place for place, chunk_id in enumerate(self._ids)}
        self._scorer = BM25Scorer.of(config, corpus, None)

    def best(self, question: str, first: int) -> list[str]:
        """Chunk ids, best first; only those that share a word."""
        scores = self._scores(question)
        order = np.lexsort((np.arange(len(scores)), -scores))[:first]
        return [self._ids[place] for place in order if scores[place] > 0]

    def trace(self, question: str, chunk_id: str) -> Trace:
        """Where BM25 finds a chunk. Of equal scores the chunk's comes first: the words may give it away."""
        scores = self._scores(question)
        own = scores[self._places[chunk_id]]
        return Trace(int((scores > own).sum()) + 1 if own > 0 else None, int((scores > 0).sum()))

    def _scores(self, question: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        row: np.ndarray[tuple[int], np.dtype[np.float32]] = self._scorer.asking([question]).scores(0, 1)[0]
        return row

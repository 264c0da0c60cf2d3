"""BM25 over stemmed words: the baseline of every comparison.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; Lucene's variant by bm25s.
How text of each language is cut into terms: `embft.text.terms`.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise

import numpy as np

from embft.config import RetrievalConfig
from embft.embedded_text import IndexedCorpus
from embft.retrieval.scoring import Scores
from embft.text.terms import CorpusTerms, merged


class BM25Scorer:
    """Scores a corpus for questions.

    A chunk of five hundred words that has a question's words far apart says less than one that has them in a sentence. So
    to a chunk's score that of its best window is added (Callan, "Passage-level evidence in document retrieval", SIGIR 1994;
    half-overlapping windows of fixed length: Kaszkiel and Zobel, "Effective ranking with arbitrary passages", 2001). And
    "gross margin" says more than "gross" and "margin": pairs of neighbouring terms are terms of an index of their own
    (Metzler and Croft, "A Markov Random Field Model for Term Dependencies", SIGIR 2005: sequential dependence).

    Args:
        corpus: Chunk id to text; columns are in its order. Where it is an `IndexedCorpus`, chunks and each of their windows
            have the words of their context too.
        questions: Texts; rows are in their order.
        k1: Saturation of a word's frequency.
        b: Weight of length normalisation.
        window: Index terms in a window; 0: chunks alone.
        pairs: What the score by pairs of neighbouring terms counts for beside that by terms; 0: nothing.
        language: That all chunks are in; ``auto``: each chunk's is looked for, see `embft.text.languages`.
    """

    def __init__(
        self,
        corpus: Mapping[str, str],
        questions: Sequence[str],
        *,
        k1: float = 1.5,
        b: float = 0.75,
        window: int = 0,
        pairs: float = 0.0,
        language: str = "auto",
    ) -> None:
        self.n_questions = len(questions)
        self.n_chunks = len(corpus)
        corpus = IndexedCorpus.of(corpus)
        self._terms = terms = CorpusTerms.of(list(corpus.own.values()), language)
        self._questions = [terms.question(text) for text in questions]
        contexts = terms.of_contexts([corpus.context(chunk_id) for chunk_id in corpus])
        chunks = [[*context, *chunk] for context, chunk in zip(contexts, terms.chunks, strict=True)]
        self._chunks = _Index(chunks, k1, b)
        self._windows = None
        if window and any(len(chunk) > window for chunk in terms.chunks):
            cut = [
                [[*context, *stretch] for stretch in windows_of(chunk, window)]
                for context, chunk in zip(contexts, terms.chunks, strict=True)
            ]
            self._windows = _Index(list(chain.from_iterable(cut)), k1, b)
            self._starts = np.cumsum([0, *map(len, cut[:-1])])
        self._share_of_pairs = np.float32(pairs)
        self._pairs = _Index([pairs_of(chunk) for chunk in chunks], k1, b) if pairs else None

    @classmethod
    def of(cls, config: RetrievalConfig, corpus: Mapping[str, str], questions: Sequence[str]) -> BM25Scorer:
        """The scorer with a run's settings."""
        return cls(
            corpus,
            questions,
            k1=config.bm25_k1,
            b=config.bm25_b,
            window=config.bm25_window,
            pairs=config.bm25_pairs,
            language=config.bm25_language,
        )

    def asking(self, questions: Sequence[str]) -> BM25Scorer:
        """The same index, asked other questions: a server's come one after the other."""
        other = copy.copy(self)
        other.n_questions = len(questions)
        other._questions = [self._terms.question(text) for text in questions]
        return other

    @property
    def index_bytes(self) -> int:
        """Size of the index: scores and numbers of every posting, and the words."""
        return sum(index.bytes for index in (self._chunks, self._windows, self._pairs) if index)

    def scores(self, start: int, end: int) -> Scores:
        """See `embft.retrieval.scoring.Scorer`; 0 where no word is shared."""
        rows = np.zeros((end - start, self.n_chunks), np.float32)
        for row, readings in zip(rows, self._questions[start:end], strict=True):
            asked = merged(readings)
            row[:] = self._chunks.scores(asked)
            if self._windows:
                row += np.maximum.reduceat(self._windows.scores(asked), self._starts)
            if self._pairs:
                row += self._share_of_pairs * self._pairs.scores(merged([pairs_of(terms) for terms in readings]))
        return np.round(rows, 6)


class _Index:
    """Inverted lists of texts that are cut into terms already."""

    def __init__(self, texts: list[list[str]], k1: float, b: float) -> None:
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG as it is imported
        self._size = len(texts)
        self._lists = bm25s.BM25(k1=k1, b=b, method="lucene") if any(texts) else None
        if self._lists is not None:
            self._lists.index(texts, show_progress=False)

    @property
    def bytes(self) -> int:
        if self._lists is None:
            return 0
        arrays = sum(self._lists.scores[name].nbytes for name in ("data", "indices", "indptr"))
        return int(arrays + sum(len(word.encode()) for word in self._lists.vocab_dict))

    def scores(self, asked: list[str]) -> Scores:
        """float32 [n_texts]."""
        if self._lists is None or not asked:
            return np.zeros(self._size, np.float32)
        by_position: Scores = self._lists.get_scores(asked)
        return by_position


def windows_of(terms: list[str], size: int) -> list[list[str]]:
    """Cuts terms into windows of ``size``, each half over the one before it, the last flush with the end; one at least."""
    last = max(len(terms) - size, 0)
    starts = [*range(0, last, max(size // 2, 1)), last]
    return [terms[start : start + size] for start in starts]


def pairs_of(terms: list[str]) -> list[str]:
    """Each term with the next one. Stop words are gone before: "margin of safety" has the pair that "safety margin" lacks."""
    return [f"{first} {second}" for first, second in pairwise(terms)]

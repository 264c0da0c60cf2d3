"""BM25 over stemmed words: the baseline of every comparison.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; Lucene's variant, to the last bit as
bm25s has it. How text of each language is cut into terms: `embft.text.terms`; how they are counted: `embft.retrieval.postings`.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from embft.config import RetrievalConfig
from embft.embedded_text import IndexedCorpus
from embft.progress import progress
from embft.retrieval.asked_terms import Numbered, Vocabulary, numbered
from embft.retrieval.best_windows import PositionFirst
from embft.retrieval.postings import SHARD, Counting, in_pairs, in_windows, window_lengths, windows_in
from embft.retrieval.scoring import Scores
from embft.retrieval.word_scorer import WordIndex, WordScorer
from embft.scratch import Scratch
from embft.text.corpus_terms import CorpusTerms, terms_of_question
from embft.text.languages import languages_of
from embft.text.terms import merged


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
        questions: Texts; rows are in their order. What they do not ask for is not indexed. None: all of it is, for questions
            that come later (`asking`).
        k1: Saturation of a word's frequency.
        b: Weight of length normalisation.
        window: Index terms in a window; 0: chunks alone.
        pairs: What the score by pairs of neighbouring terms counts for beside that by terms; 0: nothing.
        language: That all chunks are in; ``auto``: each chunk's is looked for, see `embft.text.languages`.
    """

    def __init__(
        self,
        corpus: Mapping[str, str],
        questions: Sequence[str] | None,
        *,
        k1: float = 1.5,
        b: float = 0.75,
        window: int = 0,
        pairs: float = 0.0,
        language: str = "auto",
    ) -> None:
        self.n_chunks = len(corpus)
        corpus = IndexedCorpus.of(corpus)
        self._languages = languages = languages_of(list(corpus.own.values()), language)
        self._with_pairs = bool(pairs)
        if questions is None:
            self._vocabulary = Vocabulary.whole(corpus, languages, with_pairs=self._with_pairs)
        else:
            self._vocabulary = Vocabulary.of(*self._read(questions))
        self._ask(questions or ())
        # Questions that come one after the other would have every shard mapped for each, which takes twice the time.
        lists = _Lists(self._vocabulary, window, Scratch(sys.maxsize if questions is None else None))
        shard: list[Numbered] = []
        with progress("indexing words", len(corpus), "chunks") as work:
            for block in numbered(corpus, languages, self._vocabulary.number):
                shard.append(block)
                if sum(len(one.lengths) for one in shard) >= SHARD:
                    lists.add(shard)
                    shard = []
                work.advance(len(block.lengths))
            lists.add(shard)
        cut = any(len(one.firsts) > 2 for one in lists.layouts)  # else each chunk is one window
        self._index = WordIndex(
            lists.layouts,
            lists.chunks.scored(k1, b),
            lists.windows.scored(k1, b) if cut else None,
            lists.pairs.scored(k1, b) if pairs else None,
            pairs,
        )

    def _read(self, questions: Sequence[str]) -> tuple[list[list[str]], list[list[str]]]:
        """The terms of questions, and their pairs."""
        readings = [terms_of_question(text, self._languages) for text in questions]
        paired = readings if self._with_pairs else []
        return [merged(one) for one in readings], [merged([pairs_of(terms) for terms in one]) for one in paired]

    def _ask(self, questions: Sequence[str]) -> None:
        terms, pairs = self._read(questions)
        self.n_questions = len(questions)
        self._terms = [[at for term in one if (at := self._vocabulary.number(term)) >= 0] for one in terms]
        self._pairs = [[at for pair in one if (at := self._vocabulary.pair(pair)) >= 0] for one in pairs]

    @property
    def of_words(self) -> WordScorer:
        """What it comes down to: lists, and the numbers of the words that are asked for."""
        return WordScorer(self._index, self._terms, self._pairs)

    def asking(self, questions: Sequence[str]) -> BM25Scorer:
        """The same index, which must be of all terms, asked other questions: a server's come one after the other."""
        other = copy.copy(self)
        other._ask(questions)
        return other

    @classmethod
    def of(cls, config: RetrievalConfig, corpus: Mapping[str, str], questions: Sequence[str] | None) -> BM25Scorer:
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

    def scores(self, start: int, end: int) -> Scores:
        """See `embft.retrieval.scoring.Scorer`; 0 where no word is shared."""
        return self.of_words.scores(start, end)


class _Lists:
    """The inverted lists of chunks, of their windows and of pairs of terms, in the making."""

    def __init__(self, vocabulary: Vocabulary, window: int, scratch: Scratch) -> None:
        asked = len(vocabulary.terms)
        self.chunks, self.windows = Counting(asked, scratch), Counting(asked, scratch)
        self.pairs = Counting(len(vocabulary.pairs), scratch)
        self.layouts: list[PositionFirst] = []
        self._keys = vocabulary.pairs
        self._window = window

    def add(self, blocks: Sequence[Numbered]) -> None:
        """Takes the chunks of a shard."""
        if not blocks:
            return
        lengths = np.concatenate([block.lengths for block in blocks])
        size = self._window
        contexts = np.concatenate([block.contexts for block in blocks])
        layout = PositionFirst(windows_in(lengths - contexts, size) if size else np.ones(len(lengths), np.int64))
        first = 0
        for block in blocks:
            here = block.terms >= 0
            self.chunks.add(block.terms[here], block.owners[here] + first)
            if size:
                self.windows.add(*in_windows(block, layout, first, size))
            pairs, owners = in_pairs(block, self._keys)
            self.pairs.add(pairs, owners + first)
            first += len(block.lengths)
        self.chunks.end_shard(lengths)
        if size:
            self.windows.end_shard(window_lengths(lengths, contexts, layout, size))
        self.pairs.end_shard(np.maximum(lengths - 1, 0))
        self.layouts.append(layout)


def index_bytes(config: RetrievalConfig, corpus: Mapping[str, str]) -> int:
    """Size of the whole index of a corpus: the score and the number of every posting, and the words."""
    corpus = IndexedCorpus.of(corpus)
    terms = CorpusTerms.of(list(corpus.own.values()), config.bm25_language)
    contexts = terms.of_contexts([corpus.context(chunk_id) for chunk_id in corpus])
    chunks = [[*context, *chunk] for context, chunk in zip(contexts, terms.chunks, strict=True)]
    size = config.bm25_window
    total = _bytes_of(chunks)
    if size and any(len(chunk) > size for chunk in terms.chunks):
        both = zip(contexts, terms.chunks, strict=True)
        total += _bytes_of([[*context, *part] for context, chunk in both for part in windows_of(chunk, size)])
    return total + (_bytes_of([pairs_of(chunk) for chunk in chunks]) if config.bm25_pairs else 0)


def _bytes_of(texts: Sequence[Sequence[str]]) -> int:
    sets = [set(text) for text in texts]
    words = set().union(*sets)
    return 8 * sum(map(len, sets)) + 8 * (len(words) + 1) + sum(len(word.encode()) for word in words) if words else 0


def windows_of(terms: list[str], size: int) -> list[list[str]]:
    """Cuts terms into windows of ``size``, each half over the one before it, the last flush with the end; one at least."""
    last = max(len(terms) - size, 0)
    starts = [*range(0, last, max(size // 2, 1)), last]
    return [terms[start : start + size] for start in starts]


def pairs_of(terms: list[str]) -> list[str]:
    """Each term with the next one. Stop words are gone before: "margin of safety" has the pair that "safety margin" lacks."""
    return [f"{first} {second}" for first, second in pairwise(terms)]

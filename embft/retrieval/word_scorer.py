"""BM25 as numbers alone: inverted lists, and for each question the numbers of its words. What needs neither texts nor words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embft.retrieval.best_windows import PositionFirst
from embft.retrieval.postings import Shard
from embft.retrieval.scoring import Scores


@dataclass(frozen=True)
class WordIndex:
    """The lists of a corpus, shard by shard.

    Attributes:
        layouts: Of each shard's windows.
        by_chunk: Lists of terms in chunks.
        by_window: Of terms in windows; None where each chunk is one window.
        by_pair: Of pairs of neighbouring terms in chunks; None where they count for nothing.
        share_of_pairs: What the score by pairs counts for beside that by terms.
    """

    layouts: Sequence[PositionFirst]
    by_chunk: Sequence[Shard]
    by_window: Sequence[Shard] | None
    by_pair: Sequence[Shard] | None
    share_of_pairs: float

    @property
    def n_chunks(self) -> int:
        """Of all shards."""
        return sum(shard.size for shard in self.by_chunk)


@dataclass(frozen=True)
class WordScorer:
    """Scores chunks for questions; see `embft.retrieval.bm25.BM25Scorer`, which makes it.

    Attributes:
        index: The lists.
        terms: Of each question, the numbers of its terms in ``index.by_chunk`` and ``index.by_window``.
        pairs: Of each question, the numbers of its pairs in ``index.by_pair``.
    """

    index: WordIndex
    terms: Sequence[Sequence[int]]
    pairs: Sequence[Sequence[int]]

    @property
    def n_questions(self) -> int:
        """Rows."""
        return len(self.terms)

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return self.index.n_chunks

    def part(self, first: int, end: int) -> WordScorer:
        """The same for some of the questions: those of dev, where dev and test were counted together."""
        return WordScorer(self.index, self.terms[first:end], self.pairs[first:end])

    def scores(self, start: int, end: int) -> Scores:
        """See `embft.retrieval.scoring.Scorer`; 0 where no word is shared."""
        rows = np.zeros((end - start, self.n_chunks), np.float32)
        first = 0
        for place, shard in enumerate(self.index.by_chunk):
            part = rows[:, first : first + shard.size]
            self._score_shard(place, part, range(start, end))
            np.round(part, 6, out=part)
            first += shard.size
        return rows

    def _score_shard(self, place: int, rows: Scores, questions: range) -> None:
        """Adds the scores of one shard; float32 [n_questions, n_texts of the shard]."""
        index = self.index
        by_chunk = index.by_chunk[place].lists()
        by_window = index.by_window[place].lists() if index.by_window is not None else None
        by_pair = index.by_pair[place].lists() if index.by_pair is not None else None
        layout, share_of_pairs = index.layouts[place], np.float32(index.share_of_pairs)
        for row, question in zip(rows, questions, strict=True):
            by_chunk.add(row, self.terms[question])
            if by_window is not None:
                windows = np.zeros((1, layout.n_windows), np.float32)
                by_window.add(windows[0], self.terms[question])
                row += layout.best(windows)[0]
            if by_pair is not None and self.pairs[question]:
                pairs = np.zeros(len(row), np.float32)
                by_pair.add(pairs, self.pairs[question])
                row += share_of_pairs * pairs

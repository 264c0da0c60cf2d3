"""BM25 over stemmed words: the baseline that nobody should leave out.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; Lucene's variant by bm25s.
English words are lower-cased, stop words dropped, stems by Snowball; Chinese is cut into words by jieba.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from embft.chinese import jieba
from embft.retrieval.scoring import Scores

# Runs of Han characters, or words with their inner apostrophes dots and underscores (10.5, __init__, don't).
_WORDS = re.compile(
    r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W\u3400-\u9fff\uf900-\ufaff]+(?:[.'’][^\W\u3400-\u9fff\uf900-\ufaff]+)*"
)
_STOP_ZH = frozenset(
    "的 了 和 是 在 与 及 或 等 也 都 就 而 对 于 中 为 以 其 之 所 并 将 被 由 从 到 把 向 这 那 有 吗 呢 吧 啊".split()
)


class BM25Scorer:
    """Scores a corpus for questions.

    Args:
        corpus: Chunk id to text; columns are in its order.
        questions: Texts; rows are in their order.
        k1: Saturation of a word's frequency.
        b: Weight of length normalisation.
    """

    def __init__(
        self, corpus: Mapping[str, str], questions: Sequence[str], *, k1: float = 1.5, b: float = 0.75
    ) -> None:
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG as it is imported
        self.n_questions = len(questions)
        self.n_chunks = len(corpus)
        self._questions = [words(text) for text in questions]
        chunks = [words(text) for text in corpus.values()]
        self._index = bm25s.BM25(k1=k1, b=b, method="lucene") if any(chunks) else None
        if self._index is not None:
            self._index.index(chunks, show_progress=False)

    @property
    def index_bytes(self) -> int:
        """Size of the index: scores and chunk numbers of every posting, and the words."""
        if self._index is None:
            return 0
        arrays = sum(self._index.scores[name].nbytes for name in ("data", "indices", "indptr"))
        return int(arrays + sum(len(word.encode()) for word in self._index.vocab_dict))

    def scores(self, start: int, end: int) -> Scores:
        """See `embft.retrieval.scoring.Scorer`; 0 where no word is shared."""
        rows = np.zeros((end - start, self.n_chunks), np.float32)
        if self._index is None:
            return rows
        for row, asked in zip(rows, self._questions[start:end], strict=True):
            if asked:
                row[:] = self._index.get_scores(asked)
        return np.round(rows, 6)


def words(text: str) -> list[str]:
    """Cuts a text of any mix of English and Chinese into index terms."""
    found: list[str] = []
    for match in _WORDS.finditer(text.lower()):
        word = match.group()
        if "\u3400" <= word[0] <= "\uf9ff":
            found.extend(term for term in jieba().lcut(word) if term not in _STOP_ZH)
        elif word not in _stop_words():
            found.append(_stemmer().stemWord(word))
    return found


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@cache
def _stop_words() -> frozenset[str]:
    from bm25s.stopwords import STOPWORDS_EN

    return frozenset(STOPWORDS_EN)

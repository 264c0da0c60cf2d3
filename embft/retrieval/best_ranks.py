"""BM25 as the reference retriever: at which rank it finds what answers a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from embft.progress import each
from embft.retrieval.bm25 import BM25Scorer

_BLOCK = 64


def best_ranks(
    questions: Sequence[str], relevant: Sequence[Sequence[str]], corpus: Mapping[str, str]
) -> list[int | None]:
    """Rank, from 1, of each question's best relevant chunk by BM25; ties go to the chunk that stands first in the corpus.

    None where no relevant chunk shares a word with the question.
    """
    scorer = BM25Scorer(corpus, questions)
    column = {chunk_id: place for place, chunk_id in enumerate(corpus)}
    ranks: list[int | None] = []
    for start in each(range(0, len(questions), _BLOCK), "scoring", "blocks of questions"):
        end = min(start + _BLOCK, len(questions))
        for scores, ids in zip(scorer.scores(start, end), relevant[start:end], strict=True):
            # Highest score first, then lowest column.
            best = min((column[chunk_id] for chunk_id in ids), key=lambda place: (-scores[place], place))
            ahead = int(np.sum(scores > scores[best]) + np.sum(scores[:best] == scores[best]))
            ranks.append(ahead + 1 if scores[best] > 0 else None)
    return ranks

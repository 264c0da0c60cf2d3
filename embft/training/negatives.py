"""Hard negatives: passages of other chunks that BM25 and the base model put near a question, though not too near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from embft.records import Passages
from embft.retrieval.bm25 import BM25Scorer
from embft.training.examples import ChunkExample

Vectors = npt.NDArray[np.float32]


def with_negatives(
    examples: Sequence[ChunkExample],
    passages: Passages,
    questions: Vectors,
    vectors: Vectors,
    queries: Mapping[str, str],
    number: int,
    margin: float,
) -> list[ChunkExample]:
    """Adds to each example the hardest passages for each of its questions, each passage once.

    Candidates stand first in the mean of their ranks by BM25 and by the base model. One that the base model scores above
    ``margin`` of the positive's score is left out: it may well answer the question too (Moreira et al., "NV-Retriever",
    2024, section 3.2, call that the positive-aware percentage margin and find .95 best).

    Args:
        examples: From `embft.training.examples.by_chunk`.
        passages: Those that may become negatives.
        questions: Base model's, float32 [n_questions, dim], length 1, in the order of ``queries``.
        vectors: Of ``passages``, float32 [n_passages, dim], length 1.
        queries: Question id to text.
        number: Negatives a question.
        margin: Share of the positive's score.
    """
    texts = list(queries.values())
    row_of = {text: row for row, text in enumerate(texts)}
    lexical = BM25Scorer({str(place): text for place, text in enumerate(passages.texts)}, texts)
    owners = np.asarray(passages.chunk_ids, dtype=object)[passages.owner]
    extended = []
    for example in examples:
        extra: dict[int, None] = {}
        for question, relevant in zip(example.questions, example.relevant, strict=True):
            row = row_of[question]
            dense = vectors @ questions[row]
            own = np.isin(owners, list(relevant))
            allowed = ~own & (dense < margin * dense[own].max(initial=0.0))
            order = _ranks(dense) + _ranks(lexical.scores(row, row + 1)[0])
            order[~allowed] = len(order) * 3
            best = np.argsort(order, kind="stable")[:number]
            extra.update(dict.fromkeys(int(place) for place in best if allowed[place]))
        extended.append(
            replace(
                example,
                passages=(*example.passages, *(passages.texts[place] for place in extra)),
                chunks=(*example.chunks, *(str(owners[place]) for place in extra)),
            )
        )
    return extended


def _ranks(scores: Vectors) -> npt.NDArray[np.int64]:
    ranks = np.empty(len(scores), np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return ranks

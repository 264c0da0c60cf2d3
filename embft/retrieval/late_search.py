"""Late interaction's scores of questions and chunks by one model, kept where vectors are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embft.files import digest
from embft.models.encoder import Encoder
from embft.models.token_vectors import token_vectors
from embft.records import Passages
from embft.retrieval.max_sim import blocks_of_chunks, max_sim
from embft.retrieval.scoring import Scores
from embft.retrieval.vector_cache import VectorCache

if TYPE_CHECKING:
    from embft.retrieval.searchers import MatchedTexts


def late_scores(encoder: Encoder, model: Any, questions: Sequence[str], passages: Passages) -> Scores:
    """Embeds all, a block of chunks at a time, so that memory is flat; float32 [n_questions, n_chunks].

    Args:
        encoder: How texts are embedded.
        model: The encoder's, or one that is being trained from it.
        questions: One at least.
        passages: Windows, or whole chunks.
    """
    question_vectors = token_vectors(encoder, model, questions, queries=True)
    table = np.empty((len(questions), len(passages.chunk_ids)), np.float32)
    for chunks, windows in blocks_of_chunks(passages):
        vectors = token_vectors(encoder, model, passages.texts[windows], queries=False)
        table[:, chunks] = max_sim(question_vectors, vectors, passages.starts[chunks] - windows.start)
    return table


def cached_late_scores(cache: VectorCache, encoder: Encoder, questions: Sequence[str], passages: Passages) -> Scores:
    """The same by the encoder's own model, from the cache wherever a question was asked of these passages before."""
    return cache.encode(
        _identity(encoder, encoder.fingerprint, passages),
        encoder.query_prompt,
        questions,
        lambda texts: late_scores(encoder, encoder.model, texts, passages),
        at_once=len(questions),  # a second block would embed the passages again
    )


def store_late_scores(
    cache: VectorCache, encoder: Encoder, fingerprint: str, texts: MatchedTexts, table: Scores
) -> None:
    """Keeps scores that another model with this encoder's settings gave: the same one, tuned."""
    cache.store(_identity(encoder, fingerprint, texts.passages), encoder.query_prompt, texts.questions, table)


def _identity(encoder: Encoder, fingerprint: str, passages: Passages) -> str:
    """Names the function from a question to its scores."""
    searched = digest([encoder.document_prompt, list(passages.texts), passages.starts.tolist()])
    return f"{encoder.identity_of(fingerprint)}:late:{searched}"

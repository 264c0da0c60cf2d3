"""Datasets to vectors: questions and passages of one model, from the cache wherever they were embedded before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embft.config import RetrievalConfig
from embft.models.encoder import Encoder
from embft.records import Passages, RetrievalDataset
from embft.retrieval.scoring import DenseScorer, dense_scorers, unit
from embft.retrieval.vector_cache import VectorCache
from embft.retrieval.windows import cut_windows, usable_tokens, whole_chunks

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Embedder:
    """A model, how it searches chunks, and the cache that its vectors go to."""

    encoder: Encoder
    retrieval: RetrievalConfig
    cache: VectorCache

    def passages(self, corpus: Mapping[str, str]) -> Passages:
        """What is embedded for a corpus: windows, or whole chunks that the model cuts off."""
        if self.retrieval.mode == "truncate":
            return whole_chunks(corpus)
        encoder = self.encoder
        tokens = usable_tokens(encoder.model, encoder.document_prompt, self.retrieval.window_tokens)
        overlap = min(self.retrieval.window_overlap, tokens - 1)
        return cut_windows(corpus, encoder.model.tokenizer, tokens, overlap)

    def query_vectors(self, dataset: RetrievalDataset) -> Vectors:
        """float32 [n_questions, dim], in the order of ``dataset.queries``."""
        encoder = self.encoder
        texts = list(dataset.queries.values())
        return self.cache.encode(encoder.query_identity, encoder.query_prompt, texts, encoder.encode_questions)

    def passage_vectors(self, passages: Passages) -> Vectors:
        """float32 [n_windows, dim], in the order of ``passages.texts``."""
        encoder = self.encoder
        return self.cache.encode(
            encoder.document_identity, encoder.document_prompt, passages.texts, encoder.encode_passages
        )

    def pair_vectors(self, questions: Sequence[str], passages: Sequence[str]) -> tuple[Vectors, Vectors]:
        """Vectors of length 1 of any questions and passages; float32 [n, dim] each."""
        encoder = self.encoder
        asked = self.cache.encode(encoder.query_identity, encoder.query_prompt, questions, encoder.encode_questions)
        found = self.cache.encode(encoder.document_identity, encoder.document_prompt, passages, encoder.encode_passages)
        return unit(asked), unit(found)

    def scorers(self, dataset: RetrievalDataset) -> dict[str, DenseScorer]:
        """Scorers of a dataset's questions over its corpus, by score function (``cosine``, ``dot``)."""
        passages = self.passages(dataset.corpus)
        return dense_scorers(self.query_vectors(dataset), self.passage_vectors(passages), passages)

"""Datasets to vectors: questions and passages of one model, from the cache wherever they were embedded before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from embft.config import RetrievalConfig
from embft.errors import EndpointError
from embft.models.encoder import Encoder
from embft.models.text_encoder import TextEncoder
from embft.records import Passages, RetrievalDataset
from embft.retrieval.late_scores import cached_late_scores
from embft.retrieval.scoring import Scorer, TableScorer, dense_scorers, unit
from embft.retrieval.vector_cache import VectorCache
from embft.retrieval.windows import cut_windows, whole_chunks
from embft.training.adapter import QueryMap
from embft.training.whitening import Whitening

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Embedder:
    """A model, how it searches chunks, and the cache that its vectors go to.

    Attributes:
        encoder: Gives the vectors.
        retrieval: Windows or whole chunks.
        cache: Of the encoder's vectors.
        query_map: An adapter: question vectors go through it, passages keep the encoder's.
        whitening: A last layer: question and passage vectors go through it.
    """

    encoder: TextEncoder
    retrieval: RetrievalConfig
    cache: VectorCache
    query_map: QueryMap | None = None
    whitening: Whitening | None = None

    @property
    def open_model(self) -> Encoder:
        """The encoder where its weights are at hand; `embft.config.problems` refuses what needs an API's."""
        assert isinstance(self.encoder, Encoder)
        return self.encoder

    def adapted(self, query_map: QueryMap | None) -> Embedder:
        """The same model and vectors with questions going through a map; None: as they are."""
        return replace(self, query_map=query_map)

    def passages(self, corpus: Mapping[str, str]) -> Passages:
        """What is embedded for a corpus: windows, or whole chunks that the model cuts off."""
        return whole_chunks(corpus) if self.retrieval.mode == "truncate" else self.windows(corpus)

    def windows(self, corpus: Mapping[str, str]) -> Passages:
        """A corpus in windows that the model sees whole."""
        tokens = min(self.retrieval.window_tokens, self.encoder.usable_tokens() or self.retrieval.window_tokens)
        overlap = min(self.retrieval.window_overlap, tokens - 1)
        return cut_windows(corpus, self.encoder.token_spans, tokens, overlap)

    def query_vectors(self, dataset: RetrievalDataset) -> Vectors:
        """float32 [n_questions, dim], in the order of ``dataset.queries``."""
        return self._questions(list(dataset.queries.values()))

    def passage_vectors(self, passages: Passages) -> Vectors:
        """float32 [n_windows, dim], in the order of ``passages.texts``."""
        return self._passages(passages.texts)

    def pair_vectors(self, questions: Sequence[str], passages: Sequence[str]) -> tuple[Vectors, Vectors]:
        """Vectors of length 1 of any questions and passages; float32 [n, dim] each."""
        return self._of_one_length(unit(self._questions(questions)), unit(self._passages(passages)))

    def scorers(self, dataset: RetrievalDataset) -> dict[str, Scorer]:
        """Scorers of a dataset's questions over its corpus, by score function (``cosine``, ``dot``).

        With late interaction they are one: its vectors have length 1.
        """
        passages = self.passages(dataset.corpus)
        if self.retrieval.late_interaction:
            questions = list(dataset.queries.values())
            return dict.fromkeys(
                ("cosine", "dot"), TableScorer(cached_late_scores(self.cache, self.open_model, questions, passages))
            )
        vectors = self._of_one_length(self.query_vectors(dataset), self.passage_vectors(passages))
        return {**dense_scorers(*vectors, passages)}

    def _of_one_length(self, questions: Vectors, passages: Vectors) -> tuple[Vectors, Vectors]:
        if len(questions) and len(passages) and questions.shape[1] != passages.shape[1]:
            raise EndpointError(
                f"{self.encoder.name} has vectors of {questions.shape[1]:,} numbers for questions and of "
                f"{passages.shape[1]:,} for passages, which cannot be compared: check model and query_model of the endpoint."
            )
        return questions, passages

    def _questions(self, texts: Sequence[str]) -> Vectors:
        encoder = self.encoder
        vectors = self.cache.encode(encoder.query_identity, encoder.query_prompt, texts, encoder.encode_questions)
        if self.query_map is not None:
            vectors = self.query_map(vectors)
        return vectors if self.whitening is None else self.whitening(vectors)

    def _passages(self, texts: Sequence[str]) -> Vectors:
        encoder = self.encoder
        vectors = self.cache.encode(encoder.document_identity, encoder.document_prompt, texts, encoder.encode_passages)
        return vectors if self.whitening is None else self.whitening(vectors)

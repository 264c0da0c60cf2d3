"""Datasets to vectors: questions and passages of one model, from the cache wherever they were embedded before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from embft.config import RetrievalConfig
from embft.embedded_text import IndexedCorpus
from embft.models.encoder import Encoder
from embft.models.text_encoder import TextEncoder
from embft.models.vectors import QueryMap, StoredVectors, Vectors, Whitening, unit
from embft.records import Passages, RetrievalDataset
from embft.retrieval.approximate import indexed
from embft.retrieval.elsewhere import Machines
from embft.retrieval.faiss_index import INDEXES
from embft.retrieval.kept_passages import KeptPassages
from embft.retrieval.scoring import Scorer
from embft.retrieval.searchers import SEARCHERS, Searcher
from embft.retrieval.vector_cache import VectorCache
from embft.retrieval.windows import cut_windows


@dataclass(frozen=True)
class Embedder:
    """A model, how it searches chunks, and the cache that its vectors go to.

    Attributes:
        encoder: Gives the vectors.
        retrieval: Mode, windows, and what BM25 does.
        cache: Of the encoder's vectors.
        query_map: An adapter: question vectors go through it, passages keep the encoder's.
        whitening: A last layer: question and passage vectors go through it.
        kept: The corpora that were cut into windows last, shared with the models that are made of this one.
        machines: Other machines, which embed what is too much for this one.
    """

    encoder: TextEncoder
    retrieval: RetrievalConfig
    cache: VectorCache
    query_map: QueryMap | None = None
    whitening: Whitening | None = None
    kept: KeptPassages = field(default_factory=KeptPassages, compare=False, repr=False)
    machines: Machines | None = field(default=None, compare=False, repr=False)

    @property
    def open_model(self) -> Encoder:
        """The encoder where its weights are at hand; `embft.config.problems` refuses what needs an API's."""
        assert isinstance(self.encoder, Encoder)
        return self.encoder

    @property
    def searcher(self) -> Searcher:
        """How chunks are searched."""
        return SEARCHERS[self.retrieval.mode]()

    def in_mode(self, mode: str) -> Embedder:
        """The same model, searching another way."""
        return replace(self, retrieval=replace(self.retrieval, mode=mode))

    def adapted(self, query_map: QueryMap | None) -> Embedder:
        """The same model and vectors with questions going through a map; None: as they are."""
        return replace(self, query_map=query_map)

    def whitened(self, whitening: Whitening) -> Embedder:
        """The same model with its vectors going through a last layer."""
        return replace(self, whitening=whitening)

    def encoding_with(self, encoder: TextEncoder) -> Embedder:
        """Another model, searched the same way."""
        return replace(self, encoder=encoder)

    def passages(self, corpus: Mapping[str, str]) -> Passages:
        """What is embedded for a corpus: windows, or whole chunks that the model cuts off."""
        return self.searcher.passages(self, corpus)

    def windows(self, corpus: Mapping[str, str]) -> Passages:
        """A corpus in windows that the model sees whole."""
        tokens = min(self.retrieval.window_tokens, self.encoder.usable_tokens() or self.retrieval.window_tokens)
        overlap = min(self.retrieval.window_overlap, tokens - 1)
        corpus = IndexedCorpus.of(corpus)
        encoder = self.encoder
        tokenizer = encoder.tokenizer_identity if isinstance(encoder, Encoder) else encoder
        return self.kept.get(
            corpus, (tokens, overlap, tokenizer), lambda: cut_windows(corpus, encoder.token_spans, tokens, overlap)
        )

    def query_vectors(self, dataset: RetrievalDataset) -> Vectors:
        """float32 [n_questions, dim], in the order of ``dataset.queries``."""
        return self.question_vectors(list(dataset.queries.values()))

    def passage_vectors(self, passages: Passages) -> Vectors:
        """float32 [n_windows, dim], in the order of ``passages.texts``."""
        return np.asarray(self._passages(passages.texts))

    def stored_passages(self, passages: Passages) -> StoredVectors:
        """The same, read from the disk as they are asked for: what a search goes through."""
        return self._passages(passages.texts)

    def pair_vectors(self, questions: Sequence[str], passages: Sequence[str]) -> tuple[Vectors, Vectors]:
        """Vectors of length 1 of any questions and passages; float32 [n, dim] each."""
        return unit(self.question_vectors(questions)), unit(np.asarray(self._passages(passages)))

    def scorers(self, dataset: RetrievalDataset) -> Mapping[str, Scorer]:
        """Scorers of a dataset's questions over its corpus, by score function (``cosine``, ``dot``)."""
        passages = self.passages(dataset.indexed)
        return self.with_index(self.searcher.match(self, list(dataset.queries.values()), passages).scorers(passages))

    def with_index(self, scorers: Mapping[str, Scorer]) -> Mapping[str, Scorer]:
        """Scorers by vectors, behind the approximate index where the settings name one."""
        if self.retrieval.index == "exact":
            return scorers
        return indexed(scorers, self.retrieval, self.cache.path.with_name(INDEXES))

    def question_vectors(self, texts: Sequence[str]) -> Vectors:
        """float32 [n_texts, dim], in their order."""
        encoder = self.encoder
        vectors = self.cache.encode(encoder.query_identity, encoder.query_prompt, texts, encoder.encode_questions)
        if self.query_map is not None:
            vectors = self.query_map(vectors)
        return vectors if self.whitening is None else self.whitening(vectors)

    def _passages(self, texts: Sequence[str]) -> StoredVectors:
        encoder = self.encoder
        identity, prompt = encoder.document_identity, encoder.document_prompt
        elsewhere = None if self.machines is None else self.machines.with_model(encoder)
        vectors = self.cache.rows(identity, prompt, texts, encoder.encode_passages, elsewhere=elsewhere)
        return vectors if self.whitening is None else vectors.mapped(self.whitening)

"""An index that stands while questions come: passages are embedded once, questions as they are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from embft.models.token_vectors import token_vectors
from embft.models.vectors import TokenVectors, Vectors, is_unit, unit
from embft.records import Passages, RetrievalDataset
from embft.retrieval.approximate import IndexedScorer
from embft.retrieval.embedder import Embedder
from embft.retrieval.max_sim import blocks_of_chunks, max_sim
from embft.retrieval.scoring import DenseScorer, Scorer, TableScorer


class StandingIndex(Protocol):
    """Passages, ready to be searched."""

    @property
    def passages(self) -> Passages:
        """What is searched."""
        ...

    def scorers(self, embedder: Embedder, questions: Sequence[str]) -> Mapping[str, Scorer]:
        """Scorers of questions by score function, as `Embedder.scorers` gives them."""
        ...


@dataclass(frozen=True)
class StandingEmbedder(Embedder):
    """An embedder whose passages stay in memory, and which keeps no question on the disk.

    Attributes:
        standing: Indexes by model and mode. Copies of this embedder with another model or mode share it.
    """

    standing: dict[tuple[str, str, str], StandingIndex] = field(default_factory=dict)

    def scorers(self, dataset: RetrievalDataset) -> Mapping[str, Scorer]:
        """See `Embedder.scorers`."""
        return self.index(dataset).scorers(self, list(dataset.queries.values()))

    def index(self, dataset: RetrievalDataset) -> StandingIndex:
        """The index of a dataset's corpus, made when it is first needed. All calls must have the same corpus."""
        key = (self.encoder.document_identity, self.encoder.document_prompt, self.retrieval.mode)
        if key not in self.standing:
            passages = self.passages(dataset.indexed)
            index: StandingIndex = (TokenIndex if self.searcher.by_token else VectorIndex).of(self, passages)
            self.standing[key] = index
        return self.standing[key]

    def question_vectors(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.question_vectors`; what people ask is not stored."""
        return self.question_layers(self.encoder.encode_questions(texts))

    def question_layers(self, vectors: Vectors) -> Vectors:
        """The encoder's vectors of questions, float32 [n_questions, dim], to the embedder's."""
        if self.query_map is not None:
            vectors = self.query_map(vectors)
        return vectors if self.whitening is None else self.whitening(vectors)


@dataclass(frozen=True)
class VectorIndex:
    """One vector for each window or chunk.

    Attributes:
        passages: What is searched.
        by_dot: The vectors, to be asked.
        by_cosine: The same of length 1; the same object where they have it already.
    """

    passages: Passages
    by_dot: DenseScorer | IndexedScorer
    by_cosine: DenseScorer | IndexedScorer

    @property
    def vectors(self) -> Vectors:
        """float32 [n_passages, dim]."""
        return np.asarray(self.by_dot.passages)

    @property
    def units(self) -> Vectors:
        """The same of length 1."""
        return np.asarray(self.by_cosine.passages)

    @classmethod
    def of(cls, embedder: Embedder, passages: Passages) -> VectorIndex:
        """Embeds passages, from the cache wherever they were embedded before."""
        vectors = embedder.passage_vectors(passages)
        none = np.zeros((0, vectors.shape[1]), np.float32)
        by_dot = DenseScorer(none, vectors, passages.starts)
        by_cosine = by_dot if is_unit(vectors) else DenseScorer(none, unit(vectors), passages.starts)
        # The index that was ranked by, from its file where the run's cache still has it.
        scorers = embedder.with_index({"dot": by_dot, "cosine": by_cosine})
        asked = [scorers[name] for name in ("dot", "cosine")]
        dot, cosine = (one for one in asked if isinstance(one, DenseScorer | IndexedScorer))
        return cls(passages, dot, cosine)

    def scorers(self, embedder: Embedder, questions: Sequence[str]) -> Mapping[str, Scorer]:
        """See `StandingIndex`."""
        asked = embedder.question_vectors(questions)
        dot = self.by_dot.asking(asked)
        if self.by_cosine is self.by_dot and is_unit(asked):
            return {"cosine": dot, "dot": dot}
        return {"cosine": self.by_cosine.asking(unit(asked)), "dot": dot}


@dataclass(frozen=True)
class TokenIndex:
    """One vector for each token: late interaction.

    Attributes:
        passages: What is searched.
        blocks: Chunks, the vectors of their windows' tokens, and where each chunk's windows begin among them.
    """

    passages: Passages
    blocks: tuple[tuple[slice, TokenVectors, np.ndarray], ...]

    @classmethod
    def of(cls, embedder: Embedder, passages: Passages) -> TokenIndex:
        """Embeds passages; vectors of tokens are not cached."""
        encoder = embedder.open_model
        blocks = []
        for chunks, windows in blocks_of_chunks(passages):
            vectors = token_vectors(encoder, encoder.model, passages.texts[windows], queries=False)
            blocks.append((chunks, vectors, passages.starts[chunks] - windows.start))
        return cls(passages, tuple(blocks))

    def scorers(self, embedder: Embedder, questions: Sequence[str]) -> Mapping[str, Scorer]:
        """See `StandingIndex`."""
        encoder = embedder.open_model
        asked = token_vectors(encoder, encoder.model, questions, queries=True)
        table = np.empty((len(questions), len(self.passages.chunk_ids)), np.float32)
        for chunks, vectors, starts in self.blocks:
            table[:, chunks] = max_sim(asked, vectors, starts)
        return dict.fromkeys(("cosine", "dot"), TableScorer(table))

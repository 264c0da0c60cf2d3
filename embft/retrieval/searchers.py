"""How chunks are searched, one class for each ``retrieval.mode``: by the vectors of windows, of truncated chunks, of tokens.

A searcher says what is embedded for a corpus, and makes scorers of questions and what was embedded: by the run's own model
through the cache of vectors, or by a model that is being trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from embft.models.vectors import AnyVectors, QueryMap, Vectors, Whitening, mapped
from embft.records import Passages, RetrievalDataset
from embft.retrieval.late_search import cached_late_scores, late_scores, store_late_scores
from embft.retrieval.scoring import Scorer, Scores, TableScorer, dense_scorers
from embft.retrieval.windows import whole_chunks

if TYPE_CHECKING:
    from embft.retrieval.embedder import Embedder


class Matches(Protocol):
    """Questions matched with passages, ready to be scored."""

    def scorers(self, passages: Passages) -> Mapping[str, Scorer]:
        """Scorers by score function, ``cosine`` and ``dot``."""
        ...


@dataclass(frozen=True)
class VectorMatches:
    """One vector for each text.

    Attributes:
        questions: float32 [n_questions, dim].
        passages: float32 [n_passages, dim].
    """

    questions: Vectors
    passages: AnyVectors

    def scorers(self, passages: Passages) -> Mapping[str, Scorer]:
        """See `Matches`."""
        return dense_scorers(self.questions, self.passages, passages)

    def mapped(self, mapping: QueryMap | Whitening) -> VectorMatches:
        """What an adapter, or a last layer, makes of these vectors."""
        passages = mapped(self.passages, mapping) if isinstance(mapping, Whitening) else self.passages
        return replace(self, questions=mapping(self.questions), passages=passages)


@dataclass(frozen=True)
class TableMatches:
    """A score for each question and chunk.

    Attributes:
        table: float32 [n_questions, n_chunks].
    """

    table: Scores

    def scorers(self, passages: Passages) -> Mapping[str, Scorer]:
        """See `Matches`. Cosine and dot are one: token vectors have length 1."""
        return dict.fromkeys(("cosine", "dot"), TableScorer(self.table))


class Searcher(Protocol):
    """One way of searching chunks.

    Attributes:
        by_token: Whether the index holds one vector per token.
    """

    by_token: bool

    def passages(self, embedder: Embedder, corpus: Mapping[str, str]) -> Passages:
        """What is embedded for a corpus."""
        ...

    def match(self, embedder: Embedder, questions: Sequence[str], passages: Passages) -> Matches:
        """By the embedder's own model, from the cache wherever texts were embedded before."""
        ...

    def match_with(self, model: Any, embedder: Embedder, questions: Sequence[str], passages: Passages) -> Matches:
        """By another model with the embedder's settings, which is being trained: nothing is cached."""
        ...

    def keep(self, matches: Matches, embedder: Embedder, fingerprint: str, texts: MatchedTexts) -> None:
        """Puts what another model gave into the cache, under the fingerprint that its weights have now."""
        ...

    def prepare(self, embedder: Embedder, datasets: Sequence[RetrievalDataset]) -> None:
        """Embeds at once what several datasets share, where that saves work."""
        ...


@dataclass(frozen=True)
class MatchedTexts:
    """Questions and the passages that they were matched with."""

    questions: Sequence[str]
    passages: Passages


class WindowSearch:
    """One vector for each window of a chunk; a chunk scores as its best window (MaxP)."""

    by_token = False

    def passages(self, embedder: Embedder, corpus: Mapping[str, str]) -> Passages:
        """See `Searcher`."""
        return embedder.windows(corpus)

    def match(self, embedder: Embedder, questions: Sequence[str], passages: Passages) -> VectorMatches:
        """See `Searcher`."""
        return VectorMatches(embedder.question_vectors(questions), embedder.stored_passages(passages))

    def match_with(self, model: Any, embedder: Embedder, questions: Sequence[str], passages: Passages) -> VectorMatches:
        """See `Searcher`."""
        encode = embedder.open_model.encode_with
        return VectorMatches(encode(model, questions, queries=True), encode(model, passages.texts, queries=False))

    def keep(self, matches: Matches, embedder: Embedder, fingerprint: str, texts: MatchedTexts) -> None:
        """See `Searcher`."""
        assert isinstance(matches, VectorMatches)
        encoder, cache = embedder.open_model, embedder.cache
        identity = encoder.identity_of(fingerprint)
        cache.store(identity, encoder.query_prompt, texts.questions, matches.questions)
        cache.store(identity, encoder.document_prompt, texts.passages.texts, np.asarray(matches.passages))

    def prepare(self, embedder: Embedder, datasets: Sequence[RetrievalDataset]) -> None:
        """Nothing to do: vectors are cached."""


class TruncatedSearch(WindowSearch):
    """One vector for each chunk, whose text is cut off at the model's limit."""

    def passages(self, embedder: Embedder, corpus: Mapping[str, str]) -> Passages:
        """See `Searcher`."""
        return whole_chunks(corpus)


class LateSearch:
    """One vector for each token: late interaction, see `embft.retrieval.max_sim`."""

    by_token = True

    def passages(self, embedder: Embedder, corpus: Mapping[str, str]) -> Passages:
        """See `Searcher`."""
        return embedder.windows(corpus)

    def match(self, embedder: Embedder, questions: Sequence[str], passages: Passages) -> TableMatches:
        """See `Searcher`."""
        return TableMatches(cached_late_scores(embedder.cache, embedder.open_model, questions, passages))

    def match_with(self, model: Any, embedder: Embedder, questions: Sequence[str], passages: Passages) -> TableMatches:
        """See `Searcher`."""
        return TableMatches(late_scores(embedder.open_model, model, questions, passages))

    def keep(self, matches: Matches, embedder: Embedder, fingerprint: str, texts: MatchedTexts) -> None:
        """See `Searcher`."""
        assert isinstance(matches, TableMatches)
        store_late_scores(embedder.cache, embedder.open_model, fingerprint, texts, matches.table)

    def prepare(self, embedder: Embedder, datasets: Sequence[RetrievalDataset]) -> None:
        """Asks the questions of all datasets at once where they search the same chunks.

        Token vectors are not kept, so a second dataset would embed the chunks again; scores are kept.
        """
        if len(datasets) < 2 or any(not dataset.indexed.same_in_order(datasets[0].indexed) for dataset in datasets):
            return
        questions = [text for dataset in datasets for text in dataset.queries.values()]
        self.match(embedder, questions, self.passages(embedder, datasets[0].indexed))


SEARCHERS: Mapping[str, Callable[[], Searcher]] = {
    "windows": WindowSearch,
    "truncate": TruncatedSearch,
    "late": LateSearch,
}
"""By ``retrieval.mode``."""

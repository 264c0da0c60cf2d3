"""search.json: what searches as the run's systems did, beside config.yaml, the model and the chunks.

Servers, exports and the model card read it; none of them has to guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from embft.config import RetrievalConfig
from embft.ranking.bench import Fusion
from embft.ranking.reranking import Reranking

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SearchModel:
    """A model whose vectors were ranked.

    Attributes:
        folder: Below the run folder; None for the base model, which config.yaml names.
        digest: Of the files that decide its vectors (`embft.models.source`); empty for an API.
        vectors: Names its weights in the cache of vectors; empty where the run did not embed with this very folder.
        query_prompt, document_prompt: Put before each text; None: the model's own.
        max_seq_length: Tokens a text is cut at; None: the model's own.
        dimensions: To which its vectors may be cut off (Matryoshka); empty: to none.
        two_ways: Whether questions take another way through it than passages do (an adapter).
    """

    name: str
    folder: str | None
    digest: str
    vectors: str
    query_prompt: str | None
    document_prompt: str | None
    max_seq_length: int | None
    dimensions: Sequence[int] = ()
    two_ways: bool = False


@dataclass(frozen=True)
class SearchSetup:
    """How a run's systems search.

    Attributes:
        system: The one to ship: the verdict's, or, where it cannot tell, the one that it names meanwhile; None where it
            names none.
        decision: The verdict's own word for it.
        headline: The verdict in a sentence.
        systems: That were ranked.
        figures: By system, its means on test by metric: what whoever rebuilds it must come out at.
        base: The base model.
        tuned: The one that was ranked; None where nothing was tuned.
        retrieval: Windows, BM25, depth.
        fusion: None where nothing is fused. Each question's scores are scaled to 0..1 over all chunks that are searched
            (min-max), for the vectors and for BM25, before they are mixed.
        chunks: How many are searched; they lie in ``search/chunks.parquet``.
        refitted: The tuned model trained again on everything (``training.refit``); no figure is of it. None: there is none.
        reranking: None where nothing is reordered.
        counts: Test question id to how often it was asked, where figures weigh questions by that (``evaluation.weights``);
            empty: all count alike.
        places: Folders that settings name relative to where the run was started (``model.path``), relative to the run folder:
            whoever serves it may be elsewhere.
        schema_version: Of this file.
    """

    system: str | None
    decision: str
    headline: str
    systems: Sequence[str]
    figures: dict[str, dict[str, float]]
    base: SearchModel
    tuned: SearchModel | None
    retrieval: RetrievalConfig
    fusion: Fusion | None
    chunks: int
    refitted: SearchModel | None = None
    reranking: Reranking | None = None
    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    schema_version: int = field(default=SCHEMA_VERSION)

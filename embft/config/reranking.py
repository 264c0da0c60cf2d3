"""The settings of the system ``reranked``: who reorders the first chunks of the fusion."""

from __future__ import annotations

from dataclasses import dataclass, field

from embft.config.fields import choice, number


@dataclass
class RerankApiConfig:
    """A rerank API: Cohere's, Jina's, Voyage's, or a server of vLLM or text-embeddings-inference."""

    model: str = "rerank-v3.5"
    """Name of the model at the API; text-embeddings-inference has one model only and passes over it."""
    base_url: str | None = None
    """Address before ``/rerank``, such as https://api.jina.ai/v1 or http://localhost:8080; null is Cohere's."""
    api_key_env: str | None = "COHERE_API_KEY"
    """Name of the environment variable that holds the key; null for a server without one."""
    batch_size: int = number(100, 2, 1000)
    """Chunks in a request at most. A server that takes fewer is sent fewer."""
    concurrency: int = number(4, 1, 256)
    """Requests under way at once."""
    timeout_seconds: float = number(60.0, above=0.0)
    """How long an answer may take."""
    max_retries: int = number(5, 0, 100)
    """How often a failed request is sent again."""
    price_per_thousand_requests: float | None = number(None, 0.0)
    """US dollars; null takes the list price, where embft knows it."""
    price_per_million_tokens: float | None = number(None, 0.0)
    """US dollars, for an API that charges by tokens; null takes the list price, where embft knows it."""
    max_cost_usd: float | None = number(None, 0.0)
    """Stop before the requests of a run cost more; scores that are stored cost nothing."""
    max_requests: int | None = number(None, 1)
    """Stop before a run makes more requests."""


@dataclass
class RerankerConfig:
    """Who reorders the first chunks of the fusion, and how far it is followed."""

    kind: str = choice("late", "late", "cross_encoder", "api")
    """late: one vector per token by the run's own model (MaxSim), for these chunks alone; cross_encoder: a model that reads
    question and chunk together; api: a rerank API."""
    first: int = number(100, 2, 1000)
    """Chunks of the fusion that are reordered; the others stay behind them in their order."""
    weight: float | None = number(None, 0.0, 1.0)
    """Share of the reranker in the final score, the rest is the fusion's; 1: the reranker alone; null: chosen on dev."""
    id: str | None = None
    """Hub id of the cross-encoder, such as BAAI/bge-reranker-v2-m3."""
    revision: str | None = None
    """Branch, tag or commit of the cross-encoder on the hub; null is the newest."""
    path: str | None = None
    """Folder of the cross-encoder; used before evaluation.reranker.id."""
    max_length: int | None = number(None, 16, 32768)
    """Tokens of question and chunk together that a cross-encoder reads; null takes the model's own limit."""
    api: RerankApiConfig = field(default_factory=RerankApiConfig)
    """kind=api: the API."""

"""What each system costs to run, worked out of what was measured on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

_FLOAT_BYTES = 4
_DIMENSIONS = {"text-embedding-ada-002": 1536, "text-embedding-3-small": 1536, "text-embedding-3-large": 3072}


@dataclass(frozen=True)
class MeasuredDense:
    """Embedding and searching by vectors.

    Attributes:
        vectors: Of windows, chunks or tokens, in the whole corpus.
        dimension: Of one.
        tokens: Embedded once.
        vectors_per_second: None for an API: it would have to be paid again to learn how fast the network is.
        query_ms: Embedding and search of one question; None for an API.
        index_bytes: Of an approximate index; None: the float32 vectors are the index.
    """

    vectors: int
    dimension: int
    tokens: int
    vectors_per_second: float | None
    query_ms: float | None
    index_bytes: int | None = None


@dataclass(frozen=True)
class MeasuredLexical:
    """Searching by words: size of the index, and search of one question."""

    index_bytes: int
    query_ms: float


@dataclass(frozen=True)
class MeasuredReranking:
    """Reordering the first chunks of one question.

    Attributes:
        query_ms: None for an API: it would have to be paid again to learn how fast it is.
        tokens: Of the chunks, each with the question, estimated.
        requests: To an API; 0 where there is none.
    """

    query_ms: float | None
    tokens: int
    requests: int


@dataclass(frozen=True)
class MeasuredCosts:
    """Embedding and search of what test questions search, measured on one machine.

    Attributes:
        device, cores: Of the machine.
        chunks: In the corpus.
        chunk_tokens: Of all chunks, by the model's tokenizer.
        dense: None where no system uses the model.
        late: The same by token vectors, where they are fused with the others.
        reranking: None where nothing is reordered.
    """

    device: str
    cores: int | None
    chunks: int
    chunk_tokens: int
    dense: MeasuredDense | None
    bm25: MeasuredLexical
    late: MeasuredDense | None = None
    reranking: MeasuredReranking | None = None


@dataclass(frozen=True)
class SystemCosts:
    """What a system costs to run; None where a figure does not apply or was not measured.

    Attributes:
        vectors: 0 for BM25.
        dimension: Of a vector.
        tokens: To embed once.
        vectors_per_second: On this machine.
        embed_seconds: For the whole corpus.
        index_bytes: float32 vectors, an approximate index, or BM25's postings.
        query_ms: Embedding and search of one question.
        dollars: For embedding the corpus by an API.
        question_dollars: For one question, by an API.
    """

    vectors: int
    dimension: int | None
    tokens: int
    vectors_per_second: float | None
    embed_seconds: float | None
    index_bytes: int | None
    query_ms: float | None
    dollars: float | None
    question_dollars: float | None = None


@dataclass(frozen=True)
class Rates:
    """Prices in US dollars per million tokens; None where unknown.

    Attributes:
        base: Of the base model; 0 where its weights are here.
        endpoint: Of the API's model.
        endpoint_model: Its name.
        rerank_token: Of the rerank API, where it charges by tokens.
        rerank_request: US dollars per thousand requests to it, where it charges by those.
    """

    base: float | None
    endpoint: float | None
    endpoint_model: str
    rerank_token: float | None = None
    rerank_request: float | None = None


def lexical_costs(measured: MeasuredCosts) -> SystemCosts:
    """Of BM25."""
    bm25 = measured.bm25
    return SystemCosts(0, None, 0, None, 0.0, bm25.index_bytes, bm25.query_ms, 0.0)


def dense_costs(measured: MeasuredCosts, rates: Rates) -> SystemCosts:
    """Of the run's model, tuned or not: tuning changes weights, not sizes."""
    dense = measured.dense
    assert dense is not None  # `embft.steps.costs` measures it where a system uses the model
    return SystemCosts(
        vectors=dense.vectors,
        dimension=dense.dimension,
        tokens=dense.tokens,
        vectors_per_second=dense.vectors_per_second,
        embed_seconds=_where_known(dense.vectors_per_second, lambda speed: dense.vectors / speed),
        index_bytes=dense.index_bytes or dense.vectors * dense.dimension * _FLOAT_BYTES,
        query_ms=dense.query_ms,
        dollars=_where_known(rates.base, lambda rate: rate * dense.tokens / 1e6),
    )


def fused_costs(dense: SystemCosts, lexical: SystemCosts) -> SystemCosts:
    """Of two indexes that are both searched."""
    assert dense.index_bytes is not None
    assert lexical.index_bytes is not None
    query_ms = _where_known(dense.query_ms, lambda milliseconds: milliseconds + (lexical.query_ms or 0.0))
    return replace(dense, index_bytes=dense.index_bytes + lexical.index_bytes, query_ms=query_ms)


def with_token_index(fused: SystemCosts, measured: MeasuredCosts) -> SystemCosts:
    """Of a fusion that searches token vectors too, where they were measured."""
    late = measured.late
    if late is None or fused.index_bytes is None:
        return fused
    return replace(
        fused,
        vectors=fused.vectors + late.vectors,
        tokens=fused.tokens + late.tokens,
        index_bytes=fused.index_bytes + late.vectors * late.dimension * _FLOAT_BYTES,
        query_ms=_where_known(fused.query_ms, lambda milliseconds: milliseconds + (late.query_ms or 0.0)),
    )


def reranked_costs(fused: SystemCosts, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
    """Of a first search, and a reranker for each question."""
    reranking = measured.reranking
    if reranking is None:
        return replace(fused, query_ms=None)
    both = None if fused.query_ms is None or reranking.query_ms is None else fused.query_ms + reranking.query_ms
    dollars = None
    if reranking.requests and (rates.rerank_token is not None or rates.rerank_request is not None):
        dollars = (
            reranking.tokens * (rates.rerank_token or 0.0) / 1e6
            + reranking.requests * (rates.rerank_request or 0.0) / 1e3
        )
    return replace(fused, query_ms=both, question_dollars=dollars)


def endpoint_costs(measured: MeasuredCosts, rates: Rates) -> SystemCosts:
    """Of an API that embeds whole chunks."""
    dimension = _DIMENSIONS.get(rates.endpoint_model)
    return SystemCosts(
        vectors=measured.chunks,
        dimension=dimension,
        tokens=measured.chunk_tokens,
        vectors_per_second=None,
        embed_seconds=None,
        index_bytes=measured.chunks * dimension * _FLOAT_BYTES if dimension else None,
        query_ms=None,
        dollars=_where_known(rates.endpoint, lambda rate: rate * measured.chunk_tokens / 1e6),
    )


def late_index_bytes(measured: MeasuredCosts) -> int | None:
    """Size of an index of one vector per token; None where no model was measured."""
    return None if measured.dense is None else measured.chunk_tokens * measured.dense.dimension * _FLOAT_BYTES


def _where_known(value: float | None, reckon: Callable[[float], float]) -> float | None:
    return None if value is None else reckon(value)

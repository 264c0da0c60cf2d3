"""What searching costs, measured: speed of embedding, of a question, and the size of the index."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean, median

from embft.evaluation.costs import MeasuredCosts, MeasuredDense, MeasuredLexical, MeasuredReranking
from embft.models.token_vectors import token_vectors
from embft.models.vectors import TokenVectors
from embft.questions.usage import text_tokens
from embft.records import RetrievalDataset
from embft.retrieval.approximate import IndexedScorer
from embft.retrieval.best_chunks import top
from embft.retrieval.bm25 import BM25Scorer, index_bytes
from embft.retrieval.candidates import Candidates, Reranker
from embft.retrieval.embedder import Embedder
from embft.retrieval.max_sim import max_sim
from embft.retrieval.scoring import DenseScorer, Scorer
from embft.text.tokens import spans_in_blocks

_MOST_CHUNKS = 5_000
"""Of a larger corpus a random draw is measured, and the figures are scaled to all of it: every cost is linear in it."""
_MOST_CHUNKS_BY_TOKEN = 100
"""The same with late interaction, whose token vectors are not kept: all that is measured is embedded anew."""
_SAMPLE = 8
"""Passages embedded anew to learn the speed; all others have their vectors already."""
_QUESTIONS = 5


@dataclass(frozen=True)
class _Draw:
    """A random draw of a corpus with some questions.

    Attributes:
        whole: All of it, with these questions.
        scale: How many times more chunks the whole corpus has.
        seed: Of this draw and further ones.
    """

    dataset: RetrievalDataset
    whole: RetrievalDataset
    questions: Sequence[str]
    scale: float
    seed: int

    @classmethod
    def of(cls, dataset: RetrievalDataset, most: int, seed: int) -> _Draw:
        drawn = random.Random(seed).sample(sorted(dataset.corpus), min(most, len(dataset.corpus)))
        corpus = {key: dataset.corpus[key] for key in sorted(drawn)}
        first = dict(list(dataset.queries.items())[:_QUESTIONS])
        smaller, whole = replace(dataset, corpus=corpus), replace(dataset, queries=first)
        return cls(smaller, whole, list(first.values()), len(dataset.corpus) / len(corpus), seed)


def measure_search(
    base: Embedder, searched: RetrievalDataset, device: str, seed: int, uses_model: bool
) -> MeasuredCosts:
    """Measures embedding and search.

    Args:
        base: The model, and how it is searched.
        searched: Questions and what they search.
        device: That the model computes on.
        seed: Of the draws.
        uses_model: Whether any system uses the model; else it is not measured.
    """
    draw = _Draw.of(searched, _MOST_CHUNKS, seed)
    lexical = BM25Scorer.of(base.retrieval, draw.dataset.indexed, draw.questions)
    measure = _tokens if base.searcher.by_token else _vectors
    return MeasuredCosts(
        device=device,
        cores=os.cpu_count(),
        chunks=len(searched.corpus),
        chunk_tokens=round(draw.scale * sum(_lengths(base, list(draw.dataset.indexed.values())))),
        dense=measure(base, draw) if uses_model else None,
        bm25=MeasuredLexical(
            index_bytes=round(draw.scale * index_bytes(base.retrieval, draw.dataset.indexed)),
            query_ms=1000 * draw.scale * _searching(lexical, len(draw.questions), base.retrieval.depth),
        ),
    )


def measure_tokens(base: Embedder, searched: RetrievalDataset, seed: int) -> MeasuredDense:
    """The same of the model's token vectors, which are fused with the others."""
    return _tokens(base.in_mode("late"), _Draw.of(searched, _MOST_CHUNKS, seed))


def measure_reranking(reranker: Reranker, searched: RetrievalDataset, first: int, seed: int) -> MeasuredReranking:
    """Reorders random chunks for a few questions, unless that costs money.

    Args:
        first: Chunks that are reordered.
    """
    draw = _Draw.of(searched, first, seed)
    corpus = draw.dataset.indexed
    asked = [Candidates(question, tuple(corpus), corpus) for question in draw.questions]
    texts = asked[0].texts
    tokens = sum(map(text_tokens, texts)) + len(texts) * round(fmean(text_tokens(text) for text in draw.questions))
    requests = reranker.requests_for(len(texts))
    if requests:
        return MeasuredReranking(None, tokens, requests)
    list(reranker.scores(asked[:1]))  # the first call is slower
    seconds = [_seconds(partial(_exhaust, reranker, one)) for one in asked]
    return MeasuredReranking(1000 * median(seconds), tokens, 0)


def _exhaust(reranker: Reranker, candidates: Candidates) -> None:
    list(reranker.scores([candidates]))


def _vectors(base: Embedder, draw: _Draw) -> MeasuredDense:
    encoder, passages = base.encoder, base.passages(draw.dataset.indexed)
    exact = replace(base, retrieval=replace(base.retrieval, index="exact"))
    scorer = exact.scorers(draw.dataset)["cosine"]
    assert isinstance(scorer, DenseScorer)
    searching, size = draw.scale * _searching(scorer, len(draw.questions), base.retrieval.depth), None
    if base.retrieval.index != "exact":  # whose time does not grow as the corpus does
        whole = base.scorers(draw.whole)["cosine"]
        assert isinstance(whole, IndexedScorer)
        searching, size = _searching(whole, len(draw.questions), base.retrieval.depth), whole.index.bytes
    speed = query_ms = None
    # An API would have to be paid for these texts again, to learn how fast the network is.
    if not encoder.is_paid:
        sample = random.Random(draw.seed).sample(passages.texts, min(_SAMPLE, len(passages.texts)))
        encoder.encode_questions(draw.questions[:1])  # the first call is slower
        speed = len(sample) / _seconds(lambda: encoder.encode_passages(sample))
        asking = median(_seconds(partial(encoder.encode_questions, [text])) for text in draw.questions)
        query_ms = 1000 * (asking + searching)
    return MeasuredDense(
        vectors=round(draw.scale * len(passages.texts)),
        dimension=int(scorer.passages.shape[1]),
        tokens=round(draw.scale * _read_tokens(base, list(passages.texts))),
        vectors_per_second=speed,
        query_ms=query_ms,
        index_bytes=size,
    )


def _tokens(base: Embedder, larger: _Draw) -> MeasuredDense:
    """The same where every token has a vector: ``vectors`` and their speed are of tokens."""
    draw = _Draw.of(larger.dataset, _MOST_CHUNKS_BY_TOKEN, larger.seed)
    scale = larger.scale * draw.scale
    encoder, passages = base.open_model, base.passages(draw.dataset.indexed)
    embed = partial(token_vectors, encoder, encoder.model)
    embed(draw.questions[:1], queries=True)  # the first call is slower
    started = time.perf_counter()
    tokens = embed(passages.texts, queries=False)
    seconds = time.perf_counter() - started

    def search(asked: TokenVectors) -> None:
        top(max_sim(asked, tokens, passages.starts)[0], base.retrieval.depth)

    asking = median(_seconds(partial(embed, [text], queries=True)) for text in draw.questions)
    searching = median(_seconds(partial(search, embed([text], queries=True))) for text in draw.questions)
    return MeasuredDense(
        vectors=round(scale * len(tokens.vectors)),
        dimension=int(tokens.vectors.shape[1]),
        tokens=round(scale * len(tokens.vectors)),
        vectors_per_second=len(tokens.vectors) / seconds,
        query_ms=1000 * (asking + scale * searching),
    )


def _lengths(base: Embedder, texts: list[str]) -> list[int]:
    return [len(spans) for spans in spans_in_blocks(base.encoder.token_spans, texts)]


def _read_tokens(base: Embedder, texts: list[str]) -> int:
    """Tokens of passages, less those that are cut off."""
    spans, ends = spans_in_blocks(base.encoder.token_spans, texts), base.encoder.read_ends(texts)
    return sum(start < end for tokens, end in zip(spans, ends, strict=True) for start, _ in tokens)


def _searching(scorer: Scorer, questions: int, depth: int) -> float:
    """Seconds to score and order the corpus for one question."""

    def search(at: int) -> None:
        top(scorer.scores(at, at + 1)[0], depth)

    return median(_seconds(partial(search, at)) for at in range(questions))


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started

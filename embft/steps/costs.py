"""What searching costs, measured: stage ``costs``. Its time counts as the stage ``evaluation``'s."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from embft.files import read_json, write_json
from embft.models.hardware import pick_device
from embft.models.token_vectors import token_vectors
from embft.records import RetrievalDataset, TokenVectors
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.embedder import Embedder
from embft.retrieval.max_sim import max_sim
from embft.retrieval.scoring import DenseScorer, Scorer, top
from embft.stages import StageCache, StageResult
from embft.steps.dataset import Dataset

_MOST_CHUNKS = 5_000
"""Of a larger corpus a random draw is measured, and the figures are scaled to all of it: every cost is linear in it."""
_MOST_CHUNKS_BY_TOKEN = 100
"""The same with late interaction, whose token vectors are nowhere kept: all that is measured is embedded anew."""
_SAMPLE = 8
"""Passages embedded anew to learn the speed; all others have their vectors already."""
_QUESTIONS = 5


def measure_costs(
    stages: StageCache, systems: list[str], dataset: StageResult[Dataset], base: Embedder, seed: int
) -> StageResult[dict[str, Any]]:
    """Measures embedding and search of what test questions search.

    Once for a model and its tuned selves, which differ in weights alone, and once for a machine: the result is cached.
    A model that no system uses is not measured.
    """
    retrieval, encoder = base.retrieval, base.encoder
    device = pick_device(encoder.device)
    uses_model = bool({"base", "tuned", "fused"} & set(systems))
    dense_costs = _token_costs if retrieval.late_interaction else _dense_costs

    def build(folder: Path, scratch: Path) -> None:
        everything = dataset.value.splits.searched("test")
        searched, scale = _draw(everything, _MOST_CHUNKS, seed)
        questions = list(searched.queries.values())[:_QUESTIONS]
        lexical = BM25Scorer.of(retrieval, searched.corpus, questions)
        write_json(
            folder / "costs.json",
            {
                "device": device,
                "cores": os.cpu_count(),
                "chunks": len(everything.corpus),
                "chunk_tokens": round(scale * sum(_lengths(base, list(searched.corpus.values())))),
                "dense": dense_costs(base, searched, questions, seed, scale) if uses_model else None,
                "bm25": {
                    "index_bytes": round(scale * lexical.index_bytes),
                    "query_ms": 1000 * scale * _searching(lexical, len(questions), retrieval.depth),
                },
            },
        )

    return stages.run(
        "costs",
        settings={
            "mode": [retrieval.mode, retrieval.late_interaction],
            "windows": [retrieval.window_tokens, retrieval.window_overlap],
            "bm25": [retrieval.bm25_window, retrieval.bm25_pairs],
            "batch_size": retrieval.batch_size,
            "depth": retrieval.depth,
            "machine": [device, os.cpu_count()],
            "uses_model": uses_model,
            **encoder.settings,
        },
        inputs=[dataset.key, encoder.fingerprint],
        code=("embft.steps.costs",),
        build=build,
        load=lambda folder: read_json(folder / "costs.json"),
    )


def _draw(dataset: RetrievalDataset, most: int, seed: int) -> tuple[RetrievalDataset, float]:
    """So many of the chunks at most, and how many times more there are."""
    drawn = random.Random(seed).sample(sorted(dataset.corpus), min(most, len(dataset.corpus)))
    corpus = {key: dataset.corpus[key] for key in sorted(drawn)}
    return RetrievalDataset(dataset.queries, corpus, dataset.relevant_docs), len(dataset.corpus) / len(corpus)


def _dense_costs(
    base: Embedder, searched: RetrievalDataset, questions: list[str], seed: int, scale: float
) -> dict[str, Any]:
    encoder, passages = base.encoder, base.passages(searched.corpus)
    scorer = base.scorers(searched)["cosine"]
    assert isinstance(scorer, DenseScorer)
    speed = asked = None
    # An API would have to be paid for these texts again, to learn how fast the network is.
    if not encoder.is_paid:
        sample = random.Random(seed).sample(passages.texts, min(_SAMPLE, len(passages.texts)))
        encoder.encode_questions(questions[:1])  # the first call is slower
        speed = len(sample) / _seconds(lambda: encoder.encode_passages(sample))
        asking = median(_seconds(partial(encoder.encode_questions, [text])) for text in questions)
        asked = 1000 * (asking + scale * _searching(scorer, len(questions), base.retrieval.depth))
    return {
        "vectors": round(scale * len(passages.texts)),
        "dimension": int(scorer.passages.shape[1]),
        "tokens": round(scale * _read_tokens(base, list(passages.texts))),
        "vectors_per_second": speed,
        "query_ms": asked,
    }


def _token_costs(
    base: Embedder, searched: RetrievalDataset, questions: list[str], seed: int, scale: float
) -> dict[str, Any]:
    """The same where every token has a vector: ``vectors`` and their speed are of tokens."""
    drawn, times = _draw(searched, _MOST_CHUNKS_BY_TOKEN, seed)
    scale *= times
    encoder, passages = base.open_model, base.passages(drawn.corpus)
    embed = partial(token_vectors, encoder, encoder.model)
    embed(questions[:1], queries=True)  # the first call is slower
    started = time.perf_counter()
    found = embed(passages.texts, queries=False)
    seconds = time.perf_counter() - started

    def search(asked: TokenVectors) -> None:
        top(max_sim(asked, found, passages.starts)[0], base.retrieval.depth)

    asking = median(_seconds(partial(embed, [text], queries=True)) for text in questions)
    searching = median(_seconds(partial(search, embed([text], queries=True))) for text in questions)
    return {
        "vectors": round(scale * len(found.vectors)),
        "dimension": int(found.vectors.shape[1]),
        "tokens": round(scale * len(found.vectors)),
        "vectors_per_second": len(found.vectors) / seconds,
        "query_ms": 1000 * (asking + scale * searching),
    }


def _lengths(base: Embedder, texts: list[str]) -> list[int]:
    return [len(spans) for spans in base.encoder.token_spans(texts)]


def _read_tokens(base: Embedder, texts: list[str]) -> int:
    """Tokens of passages, less those that are cut off."""
    spans, ends = base.encoder.token_spans(texts), base.encoder.read_ends(texts)
    return sum(start < end for found, end in zip(spans, ends, strict=True) for start, _ in found)


def _searching(scorer: Scorer, questions: int, depth: int) -> float:
    """Seconds to score and order the corpus for one question."""

    def search(at: int) -> None:
        top(scorer.scores(at, at + 1)[0], depth)

    return median(_seconds(partial(search, at)) for at in range(questions))


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started

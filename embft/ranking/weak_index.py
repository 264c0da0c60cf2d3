"""What is said of an approximate index that misses too much."""

from __future__ import annotations

from collections.abc import Mapping

from embft.retrieval.approximate import IndexFacts

_TO_RAISE = {
    "hnsw": "retrieval.faiss.effort, retrieval.faiss.links",
    "ivf_pq": "retrieval.faiss.probes, retrieval.faiss.rescore, retrieval.faiss.code_bytes",
    "int8": "retrieval.faiss.rescore",
    "binary": "retrieval.faiss.rescore",
}
_LEAST = 0.95
"""Recall of the first ten below which a reader is told."""


def low_recall(facts: Mapping[str, IndexFacts]) -> list[str]:
    """A sentence for each system whose index misses too much."""
    return [
        f"The index of {name} finds {one.recall['10']:.0%} of the first 10 chunks of an exact search, so the figures of {name} "
        f"are those of a weaker search. Raise {_TO_RAISE[one.kind]}, or take retrieval.index=exact."
        for name, one in facts.items()
        if one.recall["10"] < _LEAST
    ]

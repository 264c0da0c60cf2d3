"""Names of metrics and systems as people write them, and the order of the systems by what they cost to run."""

from __future__ import annotations

LABELS = {
    "hit_rate@1": "hit rate@1",
    "hit_rate@3": "hit rate@3",
    "hit_rate@5": "hit rate@5",
    "hit_rate@10": "hit rate@10",
    "ndcg@10": "nDCG@10",
    "mrr@10": "MRR@10",
    "map@100": "MAP@100",
}


def label(metric: str) -> str:
    """A metric's name as people write it; the name itself where there is no other."""
    return LABELS.get(metric, metric)


CHEAPEST_FIRST = ("bm25", "base", "tuned", "fused", "openai")
"""What each costs to run: no vectors; vectors; vectors of your own model; two indexes; a bill per question."""
_PHRASES = {
    "bm25": "BM25",
    "base": "the base model",
    "tuned": "the tuned model",
    "fused": "the fusion of BM25 and embeddings",
    "openai": "the API's embeddings",
}


def cost_rank(system: str) -> int:
    """0 for the cheapest system to run."""
    return CHEAPEST_FIRST.index(system)


def phrase(system: str) -> str:
    """A system as a sentence has it."""
    return _PHRASES[system]

"""Names of metrics as people write them."""

from __future__ import annotations

from embft.wording import say, worded

NOT_FROM_PASSAGES = frozenset({"human", "file"})
"""Origins of questions that were not written from the passages that answer them, as far as is known. Such questions may miss what
a chunk does not say; those written from it ask for what it says."""
LABELS = {
    "hit_rate@1": worded("hit rate@1"),
    "hit_rate@3": worded("hit rate@3"),
    "hit_rate@5": worded("hit rate@5"),
    "hit_rate@10": worded("hit rate@10"),
    "ndcg@10": "nDCG@10",
    "mrr@10": "MRR@10",
    "map@100": "MAP@100",
    "answer@256": "answer@256",
    "answer@512": "answer@512",
    "answer@1024": "answer@1,024",
    "answer@2048": "answer@2,048",
    "answer@4096": "answer@4,096",
}


def label(metric: str) -> str:
    """A metric's name as people write it; the name itself where there is no other."""
    return say(LABELS.get(metric, metric))

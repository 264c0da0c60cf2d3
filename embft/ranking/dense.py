"""The systems ``base`` and ``tuned``: embeddings of the run's model, before and after the fine-tune."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from embft.evaluation.costs import MeasuredCosts, Rates, SystemCosts, dense_costs
from embft.ranking.bench import Bench, SystemFacts
from embft.retrieval.scoring import Scorer


class BaseRanker:
    """See `embft.ranking.bench.Ranker`."""

    name: ClassVar[str] = "base"

    def scorers(self, bench: Bench, split: str) -> Mapping[str, Scorer]:
        """By cosine and by dot product."""
        return bench.embedder(self.name).scorers(bench.searched[split])

    def floor(self, bench: Bench) -> None:
        """Every chunk has a score."""

    def describe(self, facts: SystemFacts) -> str:
        """The model, and how chunks are searched."""
        return f"{facts.model}, {_search(facts)}"

    def costs(self, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
        """Of an index of vectors."""
        return dense_costs(measured, rates)


class TunedRanker(BaseRanker):
    """See `embft.ranking.bench.Ranker`."""

    name: ClassVar[str] = "tuned"

    def describe(self, facts: SystemFacts) -> str:
        """The same, tuned."""
        whitened = "; vectors whitened" if facts.whitened else ""
        return f"{facts.model} tuned, {_search(facts)}{whitened}"


def _search(facts: SystemFacts) -> str:
    tokens = facts.retrieval.window_tokens
    return {
        "windows": f"best window of {tokens} tokens",
        "truncate": "one vector per chunk, cut off at the model's limit",
        "late": f"late interaction: one vector per token, windows of {tokens} tokens",
    }[facts.retrieval.mode]

"""The system ``bm25``: words alone."""

from __future__ import annotations

from collections.abc import Mapping

from embft.evaluation.costs import MeasuredCosts, Rates, SystemCosts, lexical_costs
from embft.ranking.bench import Bench, SystemFacts
from embft.retrieval.scoring import Scorer


class BM25Ranker:
    """See `embft.ranking.bench.Ranker`."""

    def scorers(self, bench: Bench, split: str) -> Mapping[str, Scorer]:
        """One score function, its own."""
        return {"bm25": bench.lexical(split)}

    def floor(self, bench: Bench) -> float:
        """A chunk that shares no word with the question is not retrieved."""
        return 0.0

    def describe(self, facts: SystemFacts) -> str:
        """Terms, parameters, window."""
        retrieval = facts.retrieval
        terms = "stemmed words and pairs of them" if retrieval.bm25_pairs else "stemmed words"
        window = f", a chunk and its best window of {retrieval.bm25_window} words" if retrieval.bm25_window else ""
        return f"BM25 over {terms} (k1 {retrieval.bm25_k1:g}, b {retrieval.bm25_b:g}){window}"

    def costs(self, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
        """Of an index without vectors."""
        return lexical_costs(measured)

"""The system ``bm25``: words alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
        terms = _terms(facts.languages)
        if retrieval.bm25_pairs:
            terms = f"{terms} and pairs of them"
        window = f", a chunk and its best window of {retrieval.bm25_window} words" if retrieval.bm25_window else ""
        return f"BM25 over {terms} (k1 {retrieval.bm25_k1:g}, b {retrieval.bm25_b:g}){window}"

    def costs(self, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
        """Of an index without vectors."""
        return lexical_costs(measured)


def _terms(languages: Sequence[str]) -> str:
    """What is indexed of texts in these languages; see `embft.text.terms`."""
    if tuple(languages) == ("zh",):
        return "words cut by jieba"
    if languages and set(languages) <= {"ja", "ko"}:
        return "characters in pairs"
    return "stemmed words (Chinese ones cut by jieba)" if "zh" in languages else "stemmed words"

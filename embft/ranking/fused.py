"""The system ``fused``: a mix of embeddings and BM25 whose weight dev chooses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from embft.evaluation.bootstrap import bagged_best
from embft.evaluation.costs import MeasuredCosts, Rates, SystemCosts, dense_costs, fused_costs, lexical_costs
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import dataset_scores
from embft.ranking.bench import WEIGHTS, Bench, Fusion, SystemFacts
from embft.retrieval.excluding import without_excluded
from embft.retrieval.scoring import FusedScorer, Scorer

_EVEN = 0.5
_FLOOR = 0.0


class FusedRanker:
    """See `embft.ranking.bench.Ranker`."""

    def scorers(self, bench: Bench, split: str) -> Mapping[str, Scorer]:
        """One score function, its own."""
        if bench.fusion is None:
            bench.fusion = choose_fusion(bench)
            if not bench.fusion.curve:
                bench.notes.append(
                    "Without dev questions to choose by, the fusion is an even mix; nothing says that this is its best weight."
                )
        return {"fused": _mix(bench, split, bench.fusion.weight)}

    def floor(self, bench: Bench) -> float | None:
        """A chunk that shares no word with the question is not retrieved by BM25 as the whole of a mix."""
        return _floor(bench.fusion.weight) if bench.fusion else None

    def describe(self, facts: SystemFacts) -> str:
        """The mix."""
        fusion = facts.fusion
        assert fusion is not None
        how = ", weight chosen on dev" if fusion.curve else ""
        return f"{fusion.weight:.0%} {fusion.dense} + {1 - fusion.weight:.0%} BM25{how}"

    def costs(self, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
        """Two indexes, two searches."""
        return fused_costs(dense_costs(measured, rates), lexical_costs(measured))


def choose_fusion(bench: Bench) -> Fusion:
    """The share of the dense system that is best on dev, averaged over bootstrap draws of dev.

    On 30 to 40 questions the best weight itself is half chance. Drawn 300 times from the article's train questions and
    from people's questions about the Python reference, the bagged weight scored .914 and .310 nDCG@10 on the questions
    not drawn, the middle of the best plateau .912 and .303, an even mix .914 and .275. And dev questions from the documents
    of the train questions flatter the tuned model: so the ends of the scale must be ahead of the even mix by one whole group
    of questions, weights between by the square of their distance (docs/decisions.md).
    """
    metric = bench.retrieval.fusion_metric
    dev = bench.choosing
    if dev is None:
        return Fusion(_EVEN, bench.dense, metric, [])
    question_ids = list(dev.queries)
    rankings = map(bench.mixes("dev").ranking, WEIGHTS)
    scores = [dataset_scores(without_excluded(ranking, dev), dev)[metric] for ranking in rankings]
    handicaps = (2 * np.array(WEIGHTS) - 1) ** 2
    best = bagged_best(np.stack(scores), Dependence.of(question_ids, dev.relevant_docs), handicaps)
    curve = [(weight, round(float(row.mean()), 6)) for weight, row in zip(WEIGHTS, scores, strict=True)]
    return Fusion(WEIGHTS[best], bench.dense, metric, curve)


def _mix(bench: Bench, split: str, weight: float) -> FusedScorer:
    return FusedScorer(bench.scorers(bench.dense, split)["cosine"], bench.scorers("bm25", split)["bm25"], weight)


def _floor(weight: float) -> float | None:
    return _FLOOR if weight == 0 else None

"""The system ``reranked``: the first chunks of the fusion, reordered by a model that looks at each of them with the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from embft.errors import ModelError
from embft.evaluation.bootstrap import bagged_best
from embft.evaluation.costs import MeasuredCosts, Rates, SystemCosts, reranked_costs
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import dataset_scores
from embft.ranking.bench import Bench, SystemFacts, ranker_of
from embft.ranking.reranking import NOT_AMONG, CandidateScorer, Reranking, ScoredCandidates, ranked, weights_of
from embft.records import RetrievalDataset
from embft.retrieval.candidates import Candidates, Reranker
from embft.retrieval.rerankers import reranker_of
from embft.retrieval.score_cache import ScoreCache, scores_now
from embft.retrieval.scoring import Scorer, Scores

_WEIGHTS = tuple(round(float(weight), 2) for weight in np.linspace(0, 1, 21))
_EVEN = 0.5
SCORES = "scores.sqlite"
"""Beside the vectors."""


class RerankedRanker:
    """See `embft.ranking.bench.Ranker`."""

    def __init__(self) -> None:
        self._reranker: Reranker | None = None
        self._candidates: dict[str, tuple[RetrievalDataset, Mapping[str, ScoredCandidates]]] = {}

    def scorers(self, bench: Bench, split: str) -> Mapping[str, Scorer]:
        """One score function, its own."""
        if bench.reranking is None:
            bench.reranking = self._choose(bench)
        candidates, corpus = self._scored(bench, split), bench.searched[split].corpus
        column = {chunk_id: at for at, chunk_id in enumerate(corpus)}
        rows = list(candidates.values())
        return {
            "reranked": CandidateScorer(
                [np.array([column[key] for key in row.chunk_ids], np.int64) for row in rows],
                [row.mixed(bench.reranking.weight) for row in rows],
                len(corpus),
            )
        }

    def floor(self, bench: Bench) -> float:
        """What the fusion does not find is not reordered."""
        return NOT_AMONG

    def describe(self, facts: SystemFacts) -> str:
        """Who reorders, and how far it is followed."""
        reranking = facts.reranking
        assert reranking is not None
        start = f"the first {reranking.first} of the fusion reordered by {reranking.reranker}"
        if reranking.weight >= 1:
            return f"{start}, whose score stands alone"
        how = ", weight chosen on dev" if reranking.chosen else ""
        return f"{start}: {reranking.weight:.0%} its score + {1 - reranking.weight:.0%} the fusion's{how}"

    def costs(self, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
        """The fusion's, and the reranker's for each question."""
        return reranked_costs(ranker_of("fused").costs(measured, rates), measured, rates)

    def _choose(self, bench: Bench) -> Reranking:
        """The share of the reranker that is best on dev, averaged over bootstrap draws of dev as the fusion's weight is.

        A reranker has to earn its place: its share is ahead of none by one whole group of questions at most (the square of
        the share), so that what makes no difference on dev stays out.
        """
        config, metric = bench.evaluation.reranker, bench.retrieval.fusion_metric
        reranker = self._open(bench)
        name, weights = reranker.name, weights_of(reranker.identity)
        dev = bench.choosing
        if config.weight is not None or dev is None:
            if config.weight is None:
                bench.notes.append(
                    "Without dev questions to choose by, the reranker's score and the fusion's count alike; nothing says that "
                    "this is the best weight (evaluation.reranker.weight)."
                )
            weight = _EVEN if config.weight is None else config.weight
            return Reranking(weight, config.kind, name, config.first, False, metric, [], weights)
        candidates = self._scored(bench, "dev")
        scores = [dataset_scores(ranked(candidates, weight), dev)[metric] for weight in _WEIGHTS]
        handicaps = np.array(_WEIGHTS) ** 2
        best = bagged_best(np.stack(scores), Dependence.of(list(dev.queries), dev.relevant_docs), handicaps)
        curve = [(weight, round(float(row.mean()), 6)) for weight, row in zip(_WEIGHTS, scores, strict=True)]
        return Reranking(_WEIGHTS[best], config.kind, name, config.first, True, metric, curve, weights)

    def _scored(self, bench: Bench, split: str) -> Mapping[str, ScoredCandidates]:
        """By question, what the fusion finds and how the reranker scores the first of it."""
        first, dataset = bench.evaluation.reranker.first, bench.searched[split]
        if split not in self._candidates or self._candidates[split][0] is not dataset:
            (fusion,) = bench.rank("fused", split).values()
            corpus = dataset.indexed
            asked = [
                Candidates(text, fusion.chunk_ids[question_id][:first], corpus)
                for question_id, text in dataset.queries.items()
            ]
            scored = self._scores(bench, asked)
            made = {
                question_id: ScoredCandidates(
                    fusion.chunk_ids[question_id], np.array(fusion.scores[question_id], np.float32), scores
                )
                for question_id, scores in zip(dataset.queries, scored, strict=True)
            }
            self._candidates[split] = (dataset, made)
        return self._candidates[split][1]

    def _scores(self, bench: Bench, asked: Sequence[Candidates]) -> list[Scores]:
        if not bench.keeps_scores:
            return scores_now(self._open(bench), asked)
        cache = ScoreCache(bench.base.cache.path.with_name(SCORES))
        try:
            return cache.scores(self._open(bench), asked)
        finally:
            cache.close()

    def _open(self, bench: Bench) -> Reranker:
        """The reranker; where a run ranked before, the cross-encoder must be the one that it ranked with."""
        if self._reranker is None:
            reranker = reranker_of(bench.evaluation.reranker, bench.embedder(bench.dense))
            ranked_with = bench.reranking.weights if bench.reranking else None
            if ranked_with and ranked_with != weights_of(reranker.identity):
                raise ModelError(
                    f"The cross-encoder {reranker.name} is not the one that was ranked: its files have changed since. Put the "
                    "old ones back, or rank the new ones by a run of their own."
                )
            self._reranker = reranker
        return self._reranker

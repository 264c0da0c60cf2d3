"""The bench: what every system may use to rank the dev and test questions, and the ranking itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Protocol

import numpy as np

from embft.config import EvaluationConfig, RetrievalConfig
from embft.evaluation.costs import MeasuredCosts, Rates, SystemCosts
from embft.ranking.reranking import Reranking
from embft.records import Ranking, RetrievalDataset
from embft.retrieval.approximate import IndexedScorer, IndexFacts
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.embedder import Embedder
from embft.retrieval.excluding import ExcludingScorer, excluding, without_excluded
from embft.retrieval.fusing import Mixes, ReachableOfEach
from embft.retrieval.passes import Elsewhere, Pass, Row, every_row
from embft.retrieval.scoring import BestOfEach, FusedScorer, Scorer, ranking_of
from embft.systems import system_of

WEIGHTS = tuple(round(float(weight), 2) for weight in np.linspace(0, 1, 21))
"""Shares of the dense system that dev chooses from."""


@dataclass(frozen=True)
class Fusion:
    """The mix that dev chose.

    Attributes:
        weight: Share of the dense system, 0 to 1.
        dense: ``tuned`` or ``base``.
        metric: The dev metric that chose.
        curve: Weight and the metric on dev; empty without dev questions. Of three parts: the share of vectors against words.
        late: Share of the token vectors, where three are fused; the rest is BM25's.
    """

    weight: float
    dense: str
    metric: str
    curve: Sequence[tuple[float, float]]
    late: float = 0.0


def vectors_of(system: str, fusion: Fusion | None, *, tuned: bool) -> str | None:
    """``base`` or ``tuned``, whose vectors a system uses; None: none of the run's.

    Args:
        fusion: Of the run.
        tuned: Whether there is a tuned model.
    """
    if not system_of(system).uses_model:
        return None
    if system == "base" or not tuned:
        return "base"
    return "tuned" if system == "tuned" or fusion is None else fusion.dense


@dataclass(frozen=True)
class SystemFacts:
    """What a system may say of itself in its description.

    Attributes:
        model: The base model's name.
        retrieval: How chunks are searched.
        endpoint: Name of the API's model.
        fusion: None where nothing is fused.
        whitened: Whether the tuned model's vectors are whitened.
        reranking: None where nothing is reordered.
        languages: Of the chunks, as BM25 reads them; the most frequent first.
    """

    model: str
    retrieval: RetrievalConfig
    endpoint: str
    fusion: Fusion | None = None
    whitened: bool = False
    reranking: Reranking | None = None
    languages: Sequence[str] = ()


class Ranker(Protocol):
    """One system."""

    def scorers(self, bench: Bench, split: str) -> Mapping[str, Scorer]:
        """Scorers of a split's questions, by score function; the first one stands for the system."""
        ...

    def floor(self, bench: Bench) -> float | None:
        """The score that a chunk must exceed to be retrieved at all; None: any will do."""
        ...

    def describe(self, facts: SystemFacts) -> str:
        """What the system is, in one line."""
        ...

    def costs(self, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
        """What it costs to run."""
        ...


def ranker_of(name: str) -> Ranker:
    """The ranker of a system."""
    module, _, kind = system_of(name).ranker.partition(":")
    ranker: Ranker = getattr(import_module(module), kind)()
    return ranker


class Bench:
    """What the systems of one run share; scorers are made once, whoever asks for them.

    Args:
        retrieval, evaluation: Settings.
        searched: By split, the questions with the corpus that they search; a split without questions is left out.
        base: The base model.
        tuned: None where nothing was tuned.
        dev_chooses: Whether weights may be chosen on dev.
        fuses_base: Whether base's vectors are fused although there is a tuned model.

    Attributes:
        elsewhere: Other machines, which rank what is too much for this one.
    """

    elsewhere: Elsewhere | None = None

    def __init__(
        self,
        retrieval: RetrievalConfig,
        evaluation: EvaluationConfig,
        searched: Mapping[str, RetrievalDataset],
        base: Embedder,
        tuned: Embedder | None,
        dev_chooses: bool = True,
        fuses_base: bool = False,
    ) -> None:
        self.retrieval = retrieval
        self.evaluation = evaluation
        self.searched = searched
        self.base = base
        self.tuned = tuned
        self.notes: list[str] = []
        self.fusion: Fusion | None = None
        self.reranking: Reranking | None = None
        self._dev_chooses = dev_chooses
        self._fuses_base = fuses_base or tuned is None
        self._rankers: dict[str, Ranker] = {}
        self._scorers: dict[tuple[str, str], Mapping[str, Scorer]] = {}
        self._lexical: dict[str, Scorer] = {}
        self._prepared: set[str] = set()
        self._mixes: dict[str, Mixes] = {}

    @property
    def choosing(self) -> RetrievalDataset | None:
        """The dev questions, with what they search, that weights are chosen on; None where nothing can be."""
        return self.searched.get("dev") if self._dev_chooses else None

    @property
    def dense(self) -> str:
        """The system whose vectors are fused: ``tuned`` or ``base``."""
        if self.fusion is not None:
            return self.fusion.dense
        return "base" if self._fuses_base else "tuned"

    def embedder(self, name: str) -> Embedder:
        """The embedder of ``base`` or ``tuned``, with all that the splits share embedded."""
        embedder = self.base if name == "base" else self.tuned
        assert embedder is not None
        if name not in self._prepared:
            self._prepared.add(name)
            embedder.searcher.prepare(embedder, list(self.searched.values()))
        return embedder

    keeps_scores = True
    """Whether a reranker's scores are stored beside the vectors."""

    def lexical(self, split: str) -> Scorer:
        """BM25's scorer on a split; the corpus is counted once for all splits that search it."""
        if split not in self._lexical:
            alike = self.splits_searching_as(split)
            questions = [text for name in alike for text in self.searched[name].queries.values()]
            whole = BM25Scorer.of(self.retrieval, self.searched[split].indexed, questions).of_words
            first = 0
            for name in alike:
                end = first + len(self.searched[name].queries)
                self._lexical[name] = whole.part(first, end)
                first = end
        return self._lexical[split]

    def scorers(self, system: str, split: str) -> Mapping[str, Scorer]:
        """A system's scorers on a split."""
        if (system, split) not in self._scorers:
            scorers = self._ranker(system).scorers(self, split)
            searched = self.searched[split]
            less = {id(scorer): excluding(scorer, searched) for scorer in scorers.values()}
            self._scorers[system, split] = {name: less[id(scorer)] for name, scorer in scorers.items()}
        return self._scorers[system, split]

    def splits_searching_as(self, split: str) -> list[str]:
        """The splits whose questions search the same chunks as a split's, with itself."""
        own = self.searched[split].indexed
        return [name for name, other in self.searched.items() if name == split or other.indexed.same_in_order(own)]

    def rank(self, system: str, split: str) -> dict[str, Ranking]:
        """A system's rankings of a split, by score function."""
        scorers = self.scorers(system, split)
        floor = self._ranker(system).floor(self)
        rankings: dict[str, Ranking] = {}
        by_scorer: dict[int, Ranking] = {}  # cosine and dot are one scorer where vectors have length 1
        for score_name, scorer in scorers.items():
            if id(scorer) not in by_scorer:
                by_scorer[id(scorer)] = self._from_mixes(scorer, system, score_name, split) or self.rank_by(
                    scorer, system, score_name, split, floor=floor
                )
            rankings[score_name] = replace(by_scorer[id(scorer)], score_name=score_name)
        return rankings

    def rank_by(
        self, scorer: Scorer, system: str, score_name: str, split: str, *, floor: float | None = None
    ) -> Ranking:
        """A split ranked by any scorer."""
        searched = self.searched[split]
        best = self._every_row(BestOfEach(scorer, self.retrieval.depth, floor), f"{split} {system} {score_name}")
        ranking = ranking_of(best, list(searched.queries), list(searched.corpus), system, score_name)
        return without_excluded(ranking, searched)

    def _every_row(self, work: Pass[Row], name: str) -> list[Row]:
        rows = None if self.elsewhere is None else self.elsewhere.rows(name, work)
        return every_row(work) if rows is None else rows

    def mixes(self, split: str) -> Mixes:
        """BM25, the dense system and all mixes of the two on a split, whose questions are scored once for all of them."""
        if split not in self._mixes:
            searched, fusion, depth = self.searched[split], self.fusion, self.retrieval.depth
            scorers = self.scorers(self.dense, split)["cosine"], self.scorers("bm25", split)["bm25"]
            weights = WEIGHTS if fusion is None else (fusion.weight,)
            rows = self._every_row(ReachableOfEach(*scorers, weights, depth, 0.0), f"{split} mixes {weights}")
            self._mixes[split] = Mixes(list(searched.queries), list(searched.corpus), depth, rows)
        return self._mixes[split]

    def let_go(self, split: str) -> None:
        """Gives back what a split that is ranked takes in memory; asked again, it is scored again."""
        self._mixes.pop(split, None)

    def index_facts(self, split: str) -> dict[str, IndexFacts]:
        """What the approximate indexes are worth, by the system whose vectors they hold; empty where all search is exact."""
        systems = self.evaluation.systems
        fused = [self.dense] if {"fused", "reranked"} & set(systems) else []
        found = {}
        for system in dict.fromkeys([*systems, *fused]):
            scorer = next(iter(self.scorers(system, split).values()))
            scorer = scorer.scorer if isinstance(scorer, ExcludingScorer) else scorer
            if isinstance(scorer, IndexedScorer):
                found[system] = scorer.facts()
        return found

    def _from_mixes(self, scorer: Scorer, system: str, score_name: str, split: str) -> Ranking | None:
        """The ranking by a scorer that is one end of the scale of mixes, or a mix; None where it is neither."""
        if "fused" not in self.evaluation.systems or "late" in self.retrieval.fuse:
            return None
        dense, words = self.scorers(self.dense, split)["cosine"], self.scorers("bm25", split)["bm25"]
        if scorer is dense or scorer is words:
            weight = float(scorer is dense)
        elif isinstance(scorer, FusedScorer) and scorer.dense is dense and scorer.lexical is words:
            weight = scorer.weight
        else:
            return None
        return without_excluded(self.mixes(split).ranking(weight, system, score_name), self.searched[split])

    def _ranker(self, system: str) -> Ranker:
        if system not in self._rankers:
            self._rankers[system] = ranker_of(system)
        return self._rankers[system]

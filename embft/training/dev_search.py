"""The search of the dev questions that chooses among epochs, mixes and the base model."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import dataset_scores
from embft.evaluation.significance import standard_error
from embft.models.vectors import QueryMap, Whitening
from embft.records import Passages, RetrievalDataset
from embft.retrieval.embedder import Embedder
from embft.retrieval.excluding import excluding, without_excluded
from embft.retrieval.scoring import rank
from embft.retrieval.searchers import MatchedTexts, Matches, VectorMatches

_DEV_DEPTH = 100


@dataclass(frozen=True)
class DevResult:
    """One model's dev search.

    Attributes:
        matches: Questions and passages as the model sees them.
        means: Of the metrics, by name.
        scores: By question, of the metric that selects.
    """

    matches: Matches
    means: Mapping[str, float]
    scores: npt.NDArray[np.float64]


@dataclass
class DevSearch:
    """The dev evaluation after each epoch.

    It searches what the dev questions search, or in a large corpus the relevant chunks and a random draw of the others,
    so that its cost is bounded. (Not the base model's strongest others: that would be a test made of the base model's own
    mistakes.)

    Attributes:
        passages: Of the chunks that are searched.
        embedder: The base model: how texts are embedded. Where a last layer is judged, the model without it.
        select_by: The metric that chooses.
        base: The base model's result.
        epochs: The result of each epoch that this process measured.
        best: The result of the kept epoch.
    """

    dataset: RetrievalDataset
    passages: Passages
    embedder: Embedder
    select_by: str
    base: DevResult | None = None
    epochs: list[DevResult] = field(default_factory=list)
    best: DevResult | None = None

    @classmethod
    def of(cls, base: Embedder, dataset: RetrievalDataset, limit: int, select_by: str, seed: int) -> DevSearch:
        """Chooses the chunks that are searched."""
        chosen = {chunk_id for ids in dataset.relevant_docs.values() for chunk_id in ids}
        others = [key for key in dataset.corpus if key not in chosen]
        random.Random(seed).shuffle(others)
        chosen.update(others[: max(0, limit - len(chosen))])
        corpus = {key: text for key, text in dataset.corpus.items() if key in chosen}
        small = replace(dataset, corpus=corpus)
        search = cls(small, base.passages(small.indexed), base, select_by)
        search.base = search._measured(base.searcher.match(base, search._questions, search.passages))
        return search

    @property
    def _questions(self) -> list[str]:
        return list(self.dataset.queries.values())

    @property
    def base_metrics(self) -> Mapping[str, float]:
        """The base model's figures in this search."""
        assert self.base is not None
        return self.base.means

    def metrics(self, model: Any) -> Mapping[str, float]:
        """Embeds with the model as it is now; returns dev metrics by name, ``ndcg@10`` and the like."""
        self.epochs.append(self._search(model))
        return self.epochs[-1].means

    def is_below(self, model: Any, epoch: int | None) -> bool:
        """Whether an epoch is below `best` or base by more than one standard error of the difference; else it is `best`."""
        assert self.best is not None
        assert self.base is not None
        result = self._result(model, epoch)
        if self._is_lower(result, self.best) or self._is_lower(result, self.base):
            return True
        self.best = result
        return False

    def does_harm(self, model: Any, epoch: int | None) -> bool:
        """Whether an epoch, from then on `best`, is below the base model by more than one such standard error.

        Epoch 0 stands for election too, but a dev set of 30 questions would throw away real gains by chance if the
        higher mean alone decided: the one-standard-error rule, turned towards what was asked for, a tuned model
        (Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3).
        """
        assert self.base is not None
        self.best = self._result(model, epoch)
        return self._is_lower(self.best, self.base)

    def _result(self, model: Any, epoch: int | None) -> DevResult:
        return self.epochs[epoch - 1] if epoch is not None else self._search(model)

    def _is_lower(self, lower: DevResult, higher: DevResult) -> bool:
        differences = lower.scores - higher.scores
        dependence = Dependence.of(list(self.dataset.queries), self.dataset.relevant_docs)
        return bool(differences.mean() < -standard_error(differences, dependence))

    def keep_best(self, base: Embedder, fingerprint: str) -> None:
        """Puts the vectors of the kept epoch into the cache: the ranking then need not embed them again."""
        assert self.best is not None
        base.searcher.keep(self.best.matches, base, fingerprint, MatchedTexts(self._questions, self.passages))

    def _search(self, model: Any) -> DevResult:
        if isinstance(model, QueryMap | Whitening):
            assert self.base is not None
            assert isinstance(self.base.matches, VectorMatches)  # `embft.config.problems` refuses late interaction here
            return self._measured(self.base.matches.mapped(model))
        searcher = self.embedder.searcher
        return self._measured(searcher.match_with(model, self.embedder, self._questions, self.passages))

    def _measured(self, matches: Matches) -> DevResult:
        question_ids = list(self.dataset.queries)
        scorer = excluding(matches.scorers(self.passages)["cosine"], self.dataset)
        ranking = rank(
            scorer, question_ids, self.passages.chunk_ids, system="tuned", score_name="cosine", depth=_DEV_DEPTH
        )
        scores = dataset_scores(without_excluded(ranking, self.dataset), self.dataset)
        means = {name: float(values.mean()) for name, values in scores.items()}
        return DevResult(matches, means, scores[self.select_by])

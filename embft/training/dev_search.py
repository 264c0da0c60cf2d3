"""The search of the dev questions that chooses among epochs, mixes and the base model."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.evaluation.metrics import dataset_scores
from embft.evaluation.significance import groups_of, standard_error
from embft.records import Passages, RetrievalDataset
from embft.retrieval.embedder import Embedder
from embft.retrieval.excluding import excluding, without_excluded
from embft.retrieval.late_scores import cached_late_scores, late_scores, store_late_scores
from embft.retrieval.scoring import Scorer, TableScorer, dense_scorers, rank
from embft.training.adapter import QueryMap
from embft.training.whitening import Whitening

Vectors = npt.NDArray[np.float32]

_DEV_DEPTH = 100


@dataclass(frozen=True)
class DevResult:
    """One model's dev search.

    Attributes:
        found: What is ranked by: the vectors of questions and of passages; with late interaction a table of scores.
        means: Of the metrics, by name.
        scores: By question, of the metric that selects.
    """

    found: tuple[Vectors, Vectors] | Vectors
    means: Mapping[str, float]
    scores: npt.NDArray[np.float64]


@dataclass
class DevSearch:
    """The dev evaluation after each epoch.

    It searches what the dev questions search, or in a large corpus the relevant chunks and a random draw of the others,
    so that its cost does not grow without end. (Not the base model's strongest others: that would be a test made of the
    base model's own mistakes.)

    Attributes:
        passages: Of the chunks that are searched.
        embedder: The base model: how texts are embedded. Where a last layer is judged, the model without it.
        select_by: The metric that chooses.
        base: What that model found.
        epochs: What each epoch of this process found.
        best: What the kept epoch found.
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
        passages = base.passages(corpus)
        search = cls(small, passages, base, select_by)
        search.base = search._measured(
            cached_late_scores(base.cache, base.open_model, search._questions, passages)
            if base.retrieval.late_interaction
            else (base.query_vectors(small), base.passage_vectors(passages))
        )
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
        found = self._found(model, epoch)
        if self._is_lower(found, self.best) or self._is_lower(found, self.base):
            return True
        self.best = found
        return False

    def does_harm(self, model: Any, epoch: int | None) -> bool:
        """Whether an epoch, from then on `best`, is below the base model by more than one such standard error.

        Epoch 0 stands for election too, but a dev set of 30 questions would throw away real gains by chance if the
        higher mean alone decided: the one-standard-error rule, turned towards what was asked for, a tuned model
        (Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3).
        """
        assert self.base is not None
        self.best = self._found(model, epoch)
        return self._is_lower(self.best, self.base)

    def _found(self, model: Any, epoch: int | None) -> DevResult:
        return self.epochs[epoch - 1] if epoch is not None else self._search(model)

    def _is_lower(self, lower: DevResult, higher: DevResult) -> bool:
        differences = lower.scores - higher.scores
        groups = groups_of(list(self.dataset.queries), self.dataset.relevant_docs)
        return bool(differences.mean() < -standard_error(differences, groups))

    def keep_best(self, base: Embedder, fingerprint: str) -> None:
        """Puts the vectors of the kept epoch into the cache: the ranking then need not embed them again."""
        assert self.best is not None
        encoder, found = base.open_model, self.best.found
        if not isinstance(found, tuple):
            store_late_scores(base.cache, encoder, fingerprint, self._questions, self.passages, found)
            return
        identity = encoder.identity_of(fingerprint)
        base.cache.store(identity, encoder.query_prompt, self._questions, found[0])
        base.cache.store(identity, encoder.document_prompt, self.passages.texts, found[1])

    def _search(self, model: Any) -> DevResult:
        if isinstance(model, QueryMap | Whitening):
            assert self.base is not None
            assert isinstance(self.base.found, tuple)  # `embft.config.problems` refuses late interaction here
            questions, passages = self.base.found
            return self._measured((model(questions), model(passages) if isinstance(model, Whitening) else passages))
        encoder = self.embedder.open_model
        if self.embedder.retrieval.late_interaction:
            return self._measured(late_scores(encoder, model, self._questions, self.passages))
        return self._measured(
            (
                encoder.encode_with(model, self._questions, queries=True),
                encoder.encode_with(model, self.passages.texts, queries=False),
            )
        )

    def _measured(self, found: tuple[Vectors, Vectors] | Vectors) -> DevResult:
        scorer: Scorer = (
            dense_scorers(*found, self.passages)["cosine"] if isinstance(found, tuple) else TableScorer(found)
        )
        question_ids = list(self.dataset.queries)
        ranking = rank(
            excluding(scorer, self.dataset),
            question_ids,
            self.passages.chunk_ids,
            system="tuned",
            score_name="cosine",
            depth=_DEV_DEPTH,
        )
        scores = dataset_scores(without_excluded(ranking, self.dataset), self.dataset)
        means = {name: float(values.mean()) for name, values in scores.items()}
        return DevResult(found, means, scores[self.select_by])

"""Rankings to figures: per question, as means with intervals, and compared with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embft.config import OBJECTIVE_METRICS, EvaluationConfig
from embft.evaluation.answers import HandedOver
from embft.evaluation.bootstrap import prospects_of
from embft.evaluation.dependence import Dependence
from embft.evaluation.figures import Prospects
from embft.evaluation.metrics import PerQuestion, dataset_scores, summarise
from embft.evaluation.significance import mean_interval
from embft.evaluation.weights import Weights
from embft.records import Ranking, RetrievalDataset
from embft.systems import cost_rank


@dataclass(frozen=True)
class Statistics:
    """How figures get their intervals.

    Attributes:
        config: Metrics, confidence, draws.
        dependence: Of the questions.
        seed: Of all draws.
        weights: Of the questions; None: all alike.
    """

    config: EvaluationConfig
    dependence: Dependence
    seed: int
    weights: Weights | None = None

    def intervals(self, scores: PerQuestion) -> dict[str, tuple[float, float]]:
        """Of the mean by each metric that is to have one."""
        return {
            name: mean_interval(scores[name], self.dependence, self.config.confidence, self.weights)
            for name in self.config.metrics
        }

    def prospects(self, scores: Mapping[str, PerQuestion]) -> Prospects:
        """What shipping each system may cost by the primary metric; of equal systems the cheapest counts as the best."""
        ordered = sorted(scores, key=cost_rank)
        by_system = {system: scores[system][self.config.primary] for system in ordered}
        return prospects_of(by_system, self.dependence, self.config.resamples, self.seed, self.weights)


def main_ranking(rankings: Mapping[str, Ranking]) -> Ranking:
    """The ranking that stands for a system: by cosine where there are two."""
    return rankings.get("cosine") or next(iter(rankings.values()))


def scores_of(
    ranking: Ranking, dataset: RetrievalDataset, relevant_from: int = 1, handed: HandedOver | None = None
) -> PerQuestion:
    """By metric, hit rates and answers included: float64 [n_questions]. Grades count as `embft.evaluation.metrics` says.

    Args:
        handed: How the ranking is read; None: chunk by chunk, over the dataset's own corpus.
    """
    answers = (handed or HandedOver(dataset.corpus)).scores(ranking, dataset, relevant_from)
    return {**dataset_scores(ranking, dataset, relevant_from), **answers}


def means_of(
    scores: PerQuestion, names: Sequence[str] = OBJECTIVE_METRICS, weights: Weights | None = None
) -> dict[str, float]:
    """Means by metric."""
    return {name: float((weights or Weights(len(scores[name]))).mean(scores[name])) for name in names}


def all_metrics(
    rankings: Mapping[str, Ranking],
    dataset: RetrievalDataset,
    relevant_from: int = 1,
    weights: Weights | None = None,
) -> dict[str, float]:
    """The 15 metrics of each score function, by their full names."""
    metrics: dict[str, float] = {}
    for ranking in rankings.values():
        metrics |= summarise(dataset_scores(ranking, dataset, relevant_from), ranking.score_name, weights)
    return metrics

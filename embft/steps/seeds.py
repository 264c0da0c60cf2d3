"""How far the seed of the training alone moves the result: the same recipe with other seeds, measured and put away.

Each training is an entry of the stage cache like any other, so a second run is free and jobs of a sweep share them. The
dataset stays as it is: its split has the run's seed, regardless of a training's seed.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Mapping

from embft.evaluation.answers import Around, HandedOver
from embft.evaluation.figures import Seeds, Spread
from embft.evaluation.scoring import means_of, scores_of
from embft.evaluation.weights import Weights
from embft.results import Dataset, Timing, Tuned
from embft.stages import StageResult
from embft.steps.ranking import rank_systems
from embft.steps.tuning import tune_model
from embft.steps.workspace import Lab

logger = logging.getLogger(__name__)


def measure_seeds(
    lab: Lab, dataset: StageResult[Dataset], tuned: StageResult[Tuned] | None, around: Around | None = None
) -> tuple[Seeds, Timing] | None:
    """Trains with the seeds after the run's own and ranks the test questions with each model.

    Args:
        tuned: The run's tuned model, of the first seed.
        around: What is handed over around a found chunk.

    Returns:
        The spread and the time it took; None with one seed.
    """
    config = lab.config.training
    if tuned is None or config.seeds < 2:
        return None
    started = time.perf_counter()
    seeds = list(range(lab.seed, lab.seed + config.seeds))
    models = [tuned]
    for seed in seeds[1:]:
        logger.info("Training with seed %d, to see how far seeds move the result.", seed)
        models.append(tune_model(lab.with_seed(seed), dataset, _ignore))
    means = []
    splits = dataset.value.splits
    handed = HandedOver(splits.searched("test").corpus, splits.evidence, around)
    evaluation = lab.config.evaluation
    weights = Weights.of(list(splits.test.queries), splits.counts, evaluation.weights)
    for model in models:
        # By itself, so that its key does not depend on what else a run ranks.
        rankings = rank_systems(lab.with_systems("tuned"), dataset, model)
        ranking = rankings.value.by_split["test"]["tuned"]["cosine"]
        means.append(means_of(scores_of(ranking, splits.test, evaluation.relevant_from, handed), weights=weights))
    spread = Seeds(
        n=config.seeds,
        seeds=seeds,
        base_kept=sum(model.value.report.kept_base for model in models),
        metrics={name: _spread([figures[name] for figures in means]) for name in lab.config.evaluation.metrics},
    )
    return spread, Timing(
        seconds=round(time.perf_counter() - started, 3),
        cached=all(model.cached for model in models[1:]),
        built_seconds=round(sum(model.built_seconds for model in models[1:]), 3),
    )


def _spread(values: list[float]) -> Spread:
    return Spread(
        values=[round(value, 6) for value in values],
        mean=statistics.fmean(values),
        sd=statistics.stdev(values),
        min=min(values),
        max=max(values),
    )


def _ignore(values: Mapping[str, float], step: int | None) -> None:
    """The tracker shows the curve of the run's own training."""

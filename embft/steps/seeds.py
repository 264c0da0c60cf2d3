"""How far the seed of the training alone moves the result: the same recipe with other seeds, measured and put away.

Each training is an entry of the stage cache like any other, so a second run is free and jobs of a sweep share them. The
dataset stays as it is: its split has the run's seed, whatever seed a training has.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

from embft.config import EndpointConfig
from embft.config.training import TrainingConfig
from embft.evaluation.metrics import dataset_scores
from embft.records import Ranking, RetrievalDataset
from embft.retrieval.embedder import Embedder
from embft.stages import StageCache, StageResult
from embft.steps.dataset import Dataset
from embft.steps.ranking import rank_systems
from embft.steps.training import Tuned
from embft.steps.tuned_model import make_tuned_model

logger = logging.getLogger(__name__)


def measure_seeds(
    stages: StageCache,
    config: TrainingConfig,
    metrics: Sequence[str],
    dataset: StageResult[Dataset],
    base: Embedder,
    tuned: StageResult[Tuned] | None,
    seed: int,
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Trains with the seeds after the run's own and ranks the test questions with each model.

    Args:
        metrics: Their names.
        tuned: The run's tuned model, of the first seed.
        seed: The run's.

    Returns:
        ``n``, ``seeds``, ``base_kept`` (trainings of which dev said that they did harm) and ``metrics``: by name the
        ``values`` by seed, ``mean``, ``sd`` (n - 1 in the denominator), ``min`` and ``max``; None with one seed. And
        what it took, as the run's timings have it.
    """
    if tuned is None or config.seeds < 2:
        return None, {}
    started = time.perf_counter()
    seeds = list(range(seed, seed + config.seeds))
    found, trained = [], [tuned]
    for other in seeds[1:]:
        logger.info("Training with seed %d, to see how far seeds move the result.", other)
        trained.append(make_tuned_model(stages, config, dataset, base, other, _keep_quiet))
    for model in trained:
        # By itself, so that its key does not depend on what else a run ranks.
        rankings = rank_systems(stages, ["tuned"], dataset, base, model, EndpointConfig(), config.select_by)
        found.append(_means(rankings.value.by_split["test"]["tuned"]["cosine"], dataset.value.splits.test))
    spread = {
        "n": config.seeds,
        "seeds": seeds,
        "base_kept": sum(model.value.report["best_epoch"] == 0 for model in trained),
        "metrics": {name: _spread([means[name] for means in found]) for name in metrics},
    }
    timing = {
        "seconds": round(time.perf_counter() - started, 3),
        "cached": all(model.cached for model in trained[1:]),
        "built_seconds": round(sum(model.built_seconds for model in trained[1:]), 3),
    }
    return spread, timing


def _means(ranking: Ranking, test: RetrievalDataset) -> dict[str, float]:
    scores = dataset_scores(ranking, test)
    return {name: float(values.mean()) for name, values in scores.items()}


def _spread(values: list[float]) -> dict[str, Any]:
    return {
        "values": [round(value, 6) for value in values],
        "mean": statistics.fmean(values),
        "sd": statistics.stdev(values),
        "min": min(values),
        "max": max(values),
    }


def _keep_quiet(values: Mapping[str, float], step: int | None) -> None:
    """The tracker shows the curve of the run's own training."""

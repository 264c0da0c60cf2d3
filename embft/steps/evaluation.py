"""Stage ``evaluation``: rankings to metrics, intervals and comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.config import OBJECTIVE_METRICS, EvaluationConfig
from embft.evaluation.metrics import dataset_scores, summarise
from embft.evaluation.multiple import holm, mcnemar
from embft.evaluation.power import detectable, questions_needed
from embft.evaluation.significance import compare, groups_of, mean_interval, steady_resamples
from embft.evaluation.slices import slices
from embft.files import read_json, write_json
from embft.records import Ranking, RetrievalDataset
from embft.stages import StageCache, StageResult
from embft.steps.audits import Audits
from embft.steps.dataset import Dataset
from embft.steps.ranking import Rankings

_CHALLENGERS = ("base", "bm25", "openai", "tuned", "fused")
"""In a comparison the later of two is the system, the earlier the baseline."""
_TOP = 5
"""Chunks named for each question and system in per_query.jsonl."""


@dataclass(frozen=True)
class Evaluated:
    """What the stage gives.

    Attributes:
        systems: By system: metrics on test, intervals, metrics on dev, the 15 or 30 metrics.
        comparisons: Of every pair of systems by every metric that has intervals.
        slices: Results by kind of question and the like.
        rows: One a test question: ranks, scores and top chunks by system.
    """

    systems: dict[str, dict[str, Any]]
    comparisons: list[dict[str, Any]]
    slices: list[dict[str, Any]]
    rows: list[dict[str, Any]]


def evaluate(
    stages: StageCache,
    config: EvaluationConfig,
    dataset: StageResult[Dataset],
    audits: StageResult[Audits],
    rankings: StageResult[Rankings],
    seed: int,
) -> StageResult[Evaluated]:
    """Scores every ranking question by question, then says what the means are worth."""

    def build(folder: Path, scratch: Path) -> None:
        splits = dataset.value.splits
        by_system = rankings.value.by_split["test"]
        test = splits.test
        scores = {
            system: dataset_scores(_main(found), test, config.relevant_from) for system, found in by_system.items()
        }
        groups = groups_of(list(test.queries), test.relevant_docs)
        draws = steady_resamples(config.resamples, groups)
        systems = {}
        for system, found in by_system.items():
            systems[system] = {
                **{name: float(scores[system][name].mean()) for name in OBJECTIVE_METRICS},
                "intervals": {
                    name: list(mean_interval(scores[system][name], groups, draws, config.confidence, seed))
                    for name in config.metrics
                },
                "score_name": _main(found).score_name,
                "dev": _dev_metrics(rankings.value.by_split["dev"].get(system), splits.dev, config.relevant_from),
                "metrics": _all_metrics(found, test, config.relevant_from),
            }
        write_json(
            folder / "evaluation.json",
            {
                "systems": systems,
                "comparisons": _comparisons(scores, groups, config, seed),
                "slices": slices(
                    {system: found[config.primary] for system, found in scores.items()},
                    groups,
                    [audits.value.traits[question_id] for question_id in test.queries],
                    _pairs(list(scores)),
                    confidence=config.confidence,
                    seed=seed,
                ),
                "rows": _rows(by_system, scores, test, splits.origins),
            },
        )

    def load(folder: Path) -> Evaluated:
        content = read_json(folder / "evaluation.json")
        return Evaluated(content["systems"], content["comparisons"], content["slices"], content["rows"])

    return stages.run(
        "evaluation",
        settings={
            "metrics": config.metrics,
            "resamples": config.resamples,
            "confidence": config.confidence,
            "primary": config.primary,
            "precision": config.precision,
            "relevant_from": config.relevant_from,
            "seed": seed,
        },
        inputs=[dataset.key, audits.key, rankings.key],
        code=("embft.evaluation", "embft.steps.evaluation"),
        build=build,
        load=load,
    )


def _main(found: Mapping[str, Ranking]) -> Ranking:
    """The ranking that stands for a system: by cosine where there are two."""
    return found.get("cosine") or next(iter(found.values()))


def _all_metrics(found: Mapping[str, Ranking], dataset: RetrievalDataset, relevant_from: int) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for ranking in found.values():
        metrics |= summarise(dataset_scores(ranking, dataset, relevant_from), ranking.score_name)
    return metrics


def _dev_metrics(found: Mapping[str, Ranking] | None, dev: RetrievalDataset, relevant_from: int) -> dict[str, float]:
    if not found:
        return {}
    scores = dataset_scores(_main(found), dev, relevant_from)
    return {name: float(scores[name].mean()) for name in OBJECTIVE_METRICS}


def _comparisons(
    scores: Mapping[str, Mapping[str, npt.NDArray[np.float64]]],
    groups: npt.NDArray[np.int64],
    config: EvaluationConfig,
    seed: int,
) -> list[dict[str, Any]]:
    ordered = sorted(scores, key=_CHALLENGERS.index)
    rows: list[dict[str, Any]] = []
    for baseline, system in combinations(ordered, 2):
        for metric in config.metrics:
            found = compare(
                scores[system][metric],
                scores[baseline][metric],
                groups,
                steady_resamples(config.resamples, groups),
                config.confidence,
                seed,
                flips=config.resamples,
            )
            rows.append(
                {
                    **found.row(system, baseline, metric),
                    "p_mcnemar": mcnemar(found.wins, found.losses) if metric.startswith("hit_rate@") else None,
                    "detectable": detectable(found.ci95, config.confidence),
                    "questions_needed": questions_needed(found.ci95, len(groups), config.precision),
                }
            )
    for metric in config.metrics:
        same = [row for row in rows if row["metric"] == metric]
        for row, adjusted in zip(same, holm([row["p_value"] for row in same]), strict=True):
            row["p_holm"] = adjusted
    return rows


def _pairs(systems: list[str]) -> list[tuple[str, str]]:
    """What everybody asks of a slice: did tuning help there, are vectors better than words there."""
    dense = "tuned" if "tuned" in systems else "base"
    return [pair for pair in (("tuned", "base"), (dense, "bm25")) if set(pair) <= set(systems)]


def _rows(
    by_system: Mapping[str, Mapping[str, Ranking]],
    scores: Mapping[str, Mapping[str, npt.NDArray[np.float64]]],
    test: RetrievalDataset,
    origins: Mapping[str, str],
) -> list[dict[str, Any]]:
    rows = []
    for index, (question_id, text) in enumerate(test.queries.items()):
        relevant = set(test.relevant_docs[question_id])
        systems = {}
        for system, found in by_system.items():
            ranked = _main(found).chunk_ids.get(question_id, ())
            systems[system] = {
                "rank": next((place for place, key in enumerate(ranked, 1) if key in relevant), None),
                **{name: round(float(scores[system][name][index]), 6) for name in OBJECTIVE_METRICS},
                "top": list(ranked[:_TOP]),
            }
        rows.append(
            {
                "question_id": question_id,
                "question": text,
                "origin": origins.get(question_id, "file"),
                "relevant": list(test.relevant_docs[question_id]),
                "systems": systems,
            }
        )
    return rows

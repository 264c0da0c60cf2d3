"""Systems held against each other, question by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from embft.config import OBJECTIVE_METRICS
from embft.evaluation.figures import ComparisonRow, QuestionResult, QuestionRow
from embft.evaluation.metrics import PerQuestion
from embft.evaluation.multiple import holm, mcnemar
from embft.evaluation.power import detectable, questions_needed
from embft.evaluation.scoring import Statistics, main_ranking
from embft.evaluation.significance import compare
from embft.records import Ranking, RetrievalDataset
from embft.systems import system_of

_TOP = 10
"""Chunks named for each question and system in per_query.jsonl."""


def compare_by(
    metric: str, scores: Mapping[str, PerQuestion], system: str, baseline: str, statistics: Statistics
) -> ComparisonRow:
    """One system against another by one metric."""
    config = statistics.config
    one, other = scores[system][metric], scores[baseline][metric]
    comparison = compare(one, other, statistics.dependence, config.confidence, statistics.weights)
    return comparison.row(system, baseline, metric)


def comparisons(scores: Mapping[str, PerQuestion], statistics: Statistics) -> list[ComparisonRow]:
    """Every pair of systems by every metric that has intervals; p-values are adjusted by metric."""
    config = statistics.config
    ordered = sorted(scores, key=lambda name: system_of(name).comparison_order)
    rows: list[ComparisonRow] = []
    for metric in config.metrics:
        same = [
            compare_by(metric, scores, system, baseline, statistics) for baseline, system in combinations(ordered, 2)
        ]
        adjusted = holm([row.p_value for row in same])
        rows += [
            replace(
                row,
                p_mcnemar=mcnemar(row.wins, row.losses, _worth(row)) if metric.startswith("hit_rate@") else None,
                detectable=detectable(row.ci95, config.confidence),
                questions_needed=questions_needed(row.ci95, len(statistics.dependence), config.precision),
                p_holm=p_value,
            )
            for row, p_value in zip(same, adjusted, strict=True)
        ]
    pairs = list(combinations(ordered, 2))
    # By pair, then by metric: what a reader looks for first is the pair.
    return sorted(rows, key=lambda row: pairs.index((row.baseline, row.system)))


def _worth(row: ComparisonRow) -> float:
    """Of one question, in independent ones."""
    questions = row.wins + row.losses + row.ties
    return 1.0 if row.effective is None or not questions else min(1.0, row.effective / questions)


def pairs_for_slices(systems: list[str]) -> list[tuple[str, str]]:
    """What everybody asks of a slice: did tuning help there, are vectors better than words there."""
    dense = "tuned" if "tuned" in systems else "base"
    return [pair for pair in (("tuned", "base"), (dense, "bm25")) if set(pair) <= set(systems)]


def question_rows(
    by_system: Mapping[str, Mapping[str, Ranking]],
    scores: Mapping[str, PerQuestion],
    test: RetrievalDataset,
    origins: Mapping[str, str],
    counts: Mapping[str, int],
) -> list[QuestionRow]:
    """The lines of per_query.jsonl."""
    return [
        QuestionRow(
            question_id=question_id,
            question=text,
            origin=origins.get(question_id, "file"),
            relevant=list(test.relevant_docs[question_id]),
            systems={
                system: _result(
                    main_ranking(ranked).chunk_ids.get(question_id, ()),
                    test.relevant_docs[question_id],
                    {name: round(float(scores[system][name][index]), 6) for name in OBJECTIVE_METRICS},
                )
                for system, ranked in by_system.items()
            },
            count=counts.get(question_id, 1),
        )
        for index, (question_id, text) in enumerate(test.queries.items())
    ]


def _result(ranked: Sequence[str], relevant: Sequence[str], scores: dict[str, float]) -> QuestionResult:
    rank = next((place for place, chunk_id in enumerate(ranked, 1) if chunk_id in relevant), None)
    return QuestionResult(rank, scores, list(ranked[:_TOP]))

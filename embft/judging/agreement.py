"""The judge judged: how far its grades agree with the given labels, and whether it favours a system."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from statistics import NormalDist, fmean, stdev

from embft.evaluation.kappa import Interval, cohen_kappa
from embft.judging.judgements import Agreement, JudgeOfSystem, Pair, judged_share, label_of
from embft.records import Ranking, RetrievalDataset
from embft.systems import system_of

_95 = NormalDist().inv_cdf(0.975)


def agreement_of(
    labels: Mapping[Pair, int], presumed: int, grades: Mapping[Pair, int], relevant_from: int
) -> Agreement | None:
    """A judge's grades against labels, of the pairs that have both.

    Args:
        labels: Given grades; those presumed to be 0 included.
        presumed: How many of these are presumed.
        grades: The judge's.
        relevant_from: Grade of the judge from which a chunk counts as relevant; a label does from 1.
    """
    both = [pair for pair in labels if pair in grades]
    if not both:
        return None
    given = [int(labels[pair] >= 1) for pair in both]
    judge = [int(grades[pair] >= relevant_from) for pair in both]
    kappa, interval = cohen_kappa(given, judge)
    graded = max(labels[pair] for pair in both) > 1
    return Agreement(
        pairs=len(both),
        presumed=presumed,
        given=fmean(given),
        judge=fmean(judge),
        agreement=fmean(left == right for left, right in zip(given, judge, strict=True)),
        kappa=kappa,
        ci95=interval,
        kappa_grades=cohen_kappa([labels[pair] for pair in both], [grades[pair] for pair in both])[0]
        if graded
        else None,
    )


def judge_of_systems(
    rankings: Mapping[str, Ranking],
    dataset: RetrievalDataset,
    grades: Mapping[Pair, int],
    first: int,
    relevant_from: int,
) -> dict[str, JudgeOfSystem]:
    """By system, what the judge says of its first chunks."""
    return {system: _judge_of(ranking, dataset, grades, first, relevant_from) for system, ranking in rankings.items()}


def _judge_of(
    ranking: Ranking, dataset: RetrievalDataset, grades: Mapping[Pair, int], first: int, relevant_from: int
) -> JudgeOfSystem:
    pairs = [Pair(key, chunk) for key in dataset.queries for chunk in ranking.chunk_ids.get(key, ())[:first]]
    graded = [(label_of(dataset, pair), int(grades[pair] >= relevant_from)) for pair in pairs if pair in grades]
    found = [relevant for label, relevant in graded if label is None]
    differences = [relevant - int(label >= 1) for label, relevant in graded if label is not None]
    excess = fmean(differences) if differences else None
    interval = None
    if excess is not None and len(differences) > 1:
        half = _95 * stdev(differences) / math.sqrt(len(differences))
        interval = (excess - half, excess + half)
    return JudgeOfSystem(
        judged=judged_share(ranking, dataset, first),
        judged_with_pool=judged_share(ranking, dataset, first, grades),
        unjudged=len(found),
        found=fmean(found) if found else None,
        pairs=len(differences),
        excess=excess,
        ci95=interval,
    )


def favours(systems: Mapping[str, JudgeOfSystem]) -> str | None:
    """A sentence where the judge is kinder to one system's labelled chunks than to another's, beyond chance; else None.

    Of all pairs of systems the one that differs most, at 5% for all of them together (Bonferroni). Chunks that both systems
    found count on both sides, which makes this careful.
    """
    pairs = list(combinations([name for name, one in systems.items() if one.ci95 is not None], 2))
    if not pairs:
        return None
    threshold = NormalDist().inv_cdf(1 - 0.025 / len(pairs)) / _95
    worst: tuple[float, str, str] | None = None
    for one, other in pairs:
        difference = (systems[one].excess or 0.0) - (systems[other].excess or 0.0)
        half = math.hypot(*(_half(systems[name].ci95) for name in (one, other)))
        if abs(difference) > threshold * half and (worst is None or abs(difference) > abs(worst[0])):
            worst = difference, one, other
    if worst is None:
        return None
    difference, one, other = worst
    kinder, harder = (one, other) if difference > 0 else (other, one)
    return (
        f"The judge favours {system_of(kinder).phrase}: against the given labels it is {100 * abs(difference):.0f} points kinder "
        f"to what that finds than to what {system_of(harder).phrase} finds."
    )


def _half(interval: Interval | None) -> float:
    assert interval is not None
    return (interval[1] - interval[0]) / 2

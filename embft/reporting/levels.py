"""What each value of a setting does, all jobs of a sweep considered: the best job with it, and its mean effect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from embft.reporting.jobs import Job, differing
from embft.reporting.paired import Paired
from embft.wording import say

_MOST_VALUES = 8
"""Of a setting with more numbers than this, which a sweeper drew, thirds are compared."""


@dataclass(frozen=True)
class Level:
    """A value of a setting, or a range of them.

    Attributes:
        key: The setting.
        value: As typed; ``1e-5 to 3e-5`` for a third of many numbers; empty for the default.
        jobs: The places of the jobs that have it, of those with a dev figure.
        best: The place of the best of these on dev.
        on_dev: Mean dev figure with this value less that with the others, all other settings held. None where the sweep
            cannot tell: with one value only, or where two settings always change together.
        on_test: The same on test, with its 95% interval over questions; None too where questions cannot be paired.
    """

    key: str
    value: str
    jobs: tuple[int, ...]
    best: int
    on_dev: float | None = None
    on_test: tuple[float, tuple[float, float]] | None = None


def levels_of(jobs: Sequence[Job], metric: str, system: str, paired: Sequence[Paired] = ()) -> list[Level]:
    """Every value of each setting that differs. Empty where the jobs did not all ask the same questions.

    An effect is a contrast of least squares over indicators of all values (Searle, "Linear Models", 1971, section 5.3): in a full
    grid, the difference of two means of jobs.

    Args:
        jobs: All of them.
        metric: By which they are compared.
        system: Whose figures.
        paired: From `embft.reporting.paired.pair_jobs`.
    """
    scored = [place for place, job in enumerate(jobs) if job.on_dev(system, metric) is not None]
    if len({job.asked for job in jobs if job.metrics}) > 1 or not scored:
        return []
    dev = {place: jobs[place].on_dev(system, metric) or 0.0 for place in scored}
    levels = [
        Level(key, value, places, max(places, key=dev.__getitem__))
        for key in differing(jobs)
        for value, places in _values(jobs, key, scored)
    ]
    rows = _contrasts(levels, scored)
    group = next((group for group in paired if set(scored) <= set(group.places)), None)
    return [
        level
        if row is None
        else replace(
            level,
            on_dev=sum(weight * dev[place] for place, weight in row.items()),
            on_test=None if group is None else _on_test(group, row),
        )
        for level, row in zip(levels, rows, strict=True)
    ]


def _values(jobs: Sequence[Job], key: str, scored: Sequence[int]) -> list[tuple[str, tuple[int, ...]]]:
    """The values of a setting, or thirds of them, each with the places of its jobs."""
    values = {place: jobs[place].setting(key) for place in scored}
    numbers = {place: _number(value) for place, value in values.items()}
    distinct = sorted({number for number in numbers.values() if number is not None})
    if None in numbers.values() or len(distinct) <= _MOST_VALUES:
        order = list(dict.fromkeys(values.values()))
        return [(value, tuple(place for place in scored if values[place] == value)) for value in order]
    typed = {number: values[place] for place, number in numbers.items() if number is not None}
    thirds = [distinct[len(distinct) * part // 3 : len(distinct) * (part + 1) // 3] for part in range(3)]
    return [
        (
            say("{low} to {high}", low=typed[third[0]], high=typed[third[-1]]),
            tuple(place for place in scored if numbers[place] in third),
        )
        for third in thirds
    ]


def _contrasts(levels: Sequence[Level], scored: Sequence[int]) -> list[dict[int, float] | None]:
    """What each job weighs in each level's effect; None where the jobs do not tell."""
    import numpy as np

    by_key: dict[str, list[int]] = {}
    for at, level in enumerate(levels):
        by_key.setdefault(level.key, []).append(at)
    design = np.array([[1.0, *(float(place in level.jobs) for level in levels)] for place in scored])
    inverse = np.linalg.pinv(design)
    rows: list[dict[int, float] | None] = []
    for at, level in enumerate(levels):
        others = [other for other in by_key[level.key] if other != at]
        contrast = np.zeros(design.shape[1])
        contrast[at + 1] = 1.0
        contrast[[other + 1 for other in others]] = -1 / max(1, len(others))
        weights = contrast @ inverse
        # Not estimable: no weights of jobs give this contrast and nothing else.
        told = others and np.allclose(weights @ design, contrast, atol=1e-6)
        rows.append(dict(zip(scored, weights.tolist(), strict=True)) if told else None)
    return rows


def _on_test(group: Paired, weights: Mapping[int, float]) -> tuple[float, tuple[float, float]]:
    import numpy as np

    from embft.evaluation.pairwise import compare_rows

    row = np.array([weights.get(place, 0.0) for place in group.places]) @ group.scores
    difference = compare_rows(row[None], group.dependence, group.weights)
    delta, half = float(difference.delta[0]), float(difference.half[0])
    return delta, (max(-1.0, delta - half), min(1.0, delta + half))


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None

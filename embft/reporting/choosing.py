"""What dev chooses among jobs that asked the same questions."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from embft.reporting.jobs import Job, differing, short_keys

_SEED = "seed"


def best_on_dev(jobs: Iterable[Job], metric: str, system: str) -> Job | None:
    """The job that dev chooses; choosing by test would flatter it.

    None where fewer than two have dev figures, and where not all of them asked the same questions.
    """
    scored = [(value, job) for job in jobs if (value := job.on_dev(system, metric)) is not None]
    alike = len({job.asked for _, job in scored}) == 1
    return max(scored, key=lambda pair: pair[0])[1] if alike and len(scored) > 1 else None


def by_dev(jobs: Sequence[Job], metric: str, system: str) -> list[Job]:
    """The jobs, best on dev first; those without a dev figure come last, in their order.

    Jobs that asked the same questions stand together, in the order of the first of them.
    """
    worst = float("-inf")
    sets = list(dict.fromkeys(job.asked for job in jobs if job.metrics))

    def order(job: Job) -> tuple[int, float]:
        value = job.on_dev(system, metric)
        return sets.index(job.asked) if job.metrics else len(sets), -(worst if value is None else value)

    return sorted(jobs, key=order)


@dataclass(frozen=True)
class SeedMean:
    """Jobs that differ in nothing but their seed, taken together.

    Attributes:
        settings: Their other settings that differ among all jobs: ``learning_rate=2e-5``.
        values: The dev figure of each.
    """

    settings: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the dev figures."""
        return statistics.fmean(self.values)


def seed_means(jobs: Sequence[Job], metric: str, system: str) -> list[SeedMean]:
    """Dev figures averaged over seeds, best first: the best single job owes part of its figure to its seed.

    Empty where no two jobs differ in the seed alone, where there is nothing else to choose, and where jobs asked different
    questions.
    """
    finished = [job for job in jobs if job.on_dev(system, metric) is not None]
    keys = differing(finished)
    if _SEED not in keys or len(keys) < 2 or len({job.asked for job in finished}) > 1:
        return []
    others = [key for key in keys if key != _SEED]
    groups: dict[str, list[float]] = {}
    for job in finished:
        words = ", ".join(f"{short}={job.setting(key)}" for key, short in zip(others, short_keys(others), strict=True))
        value = job.on_dev(system, metric)
        assert value is not None
        groups.setdefault(words, []).append(value)
    if max(map(len, groups.values())) < 2:
        return []
    means = [SeedMean(words, tuple(values)) for words, values in groups.items()]
    return sorted(means, key=lambda one: -one.mean)

"""What dev chooses among jobs that asked the same questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from embft.reporting.jobs import Job, differing


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


def best_per_setting(jobs: Sequence[Job], metric: str, system: str) -> list[tuple[str, str, int, Job]]:
    """For each value of each setting that differs: key, value, how many jobs with a dev figure, the best of them on dev.

    Empty where the jobs did not all ask the same questions.
    """
    if len({job.asked for job in jobs if job.metrics}) > 1:
        return []
    rows = []
    for key in differing(jobs):
        for value in dict.fromkeys(job.setting(key) for job in jobs):
            same = [job for job in jobs if job.setting(key) == value and job.on_dev(system, metric) is not None]
            if same:
                rows.append((key, value, len(same), by_dev(same, metric, system)[0]))
    return rows

"""A sweep as figures for a tracker: one summary, one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embft.reporting.choosing import best_on_dev
from embft.reporting.jobs import Job, differing, names_of, systems_of


def sweep_summary(jobs: Sequence[Job], metric: str, system: str = "tuned") -> dict[str, object]:
    """How many jobs there were, how many failed, and the one that dev chooses: ``sweep/...``."""
    summary: dict[str, object] = {
        "sweep/jobs": len(jobs),
        "sweep/failed": sum(job.status != "ok" for job in jobs),
        "sweep/metric": metric,
        "sweep/question_sets": len({job.asked for job in jobs if job.metrics}),
    }
    system = measured(system, jobs)
    objectives = [
        (job.objective, name) for job, name in zip(jobs, names_of(jobs), strict=True) if job.objective is not None
    ]
    if objectives:
        value, name = max(objectives, key=lambda pair: pair[0])
        summary |= {"sweep/best_objective/job": name, "sweep/best_objective/objective": value}
    best = best_on_dev(jobs, metric, system)
    if best is not None:
        summary |= {
            "sweep/best/job": names_of(jobs)[list(jobs).index(best)],
            f"sweep/best/eval/{system}/dev/{metric}": best.on_dev(system, metric),
            f"sweep/best/eval/{system}/{metric}": best.figure(system, metric),
        }
        summary |= {f"sweep/best/{key}": best.setting(key) for key in differing(jobs)}
    return summary


def sweep_table(jobs: Sequence[Job], metric: str) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows: job, status, the settings that differ, each system's figures on test and dev, by the keys of runs."""
    keys, systems = differing(jobs), systems_of(jobs)
    columns = ["job", "status", *keys, "objective"]
    columns += [f"eval/{system}/{split}{metric}" for system in systems for split in ("", "dev/")]
    columns += ["seconds", "error"]
    rows = [
        [
            name,
            job.status,
            *(job.setting(key) for key in keys),
            job.objective,
            *(figure for system in systems for figure in (job.figure(system, metric), job.on_dev(system, metric))),
            job.seconds,
            job.error,
        ]
        for name, job in zip(names_of(jobs), jobs, strict=True)
    ]
    return columns, rows


def measured(system: str, jobs: Sequence[Job]) -> str:
    """The system, or the one that stands in for it where no job has it."""
    systems = systems_of(jobs)
    if not systems or system in systems:
        return system
    return "base" if "base" in systems else systems[0]

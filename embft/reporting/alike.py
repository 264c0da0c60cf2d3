"""Like with like: which jobs may be ranked against each other, and by which metric."""

from __future__ import annotations

from collections.abc import Sequence

from embft.evaluation.names import label
from embft.reporting.choosing import by_dev, seed_means
from embft.reporting.jobs import Job, names_of
from embft.reporting.phrases import number
from embft.wording import listed, retold, say, spoken

ACROSS = "answer@1024"
"""What jobs whose chunks or windows differ are compared by."""
_SHOWN = 8
"""Names of jobs in a sentence."""


def by_questions(jobs: Sequence[Job]) -> list[list[Job]]:
    """The finished jobs that asked the same dev and test questions, together; in order."""
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        if job.metrics:
            groups.setdefault(job.asked, []).append(job)
    return list(groups.values())


def fair_metric(jobs: Sequence[Job], wanted: str) -> str:
    """The metric that all these jobs can be compared by: ``wanted``, unless what they hand over is not alike.

    A metric that counts chunks favours large ones, which hand over more text.
    """
    return ACROSS if not wanted.startswith("answer@") and _unlike(jobs) else wanted


def remarks(jobs: Sequence[Job], metric: str, system: str) -> list[str]:
    """What a reader must know before holding one job against another, one sentence each."""
    sentences = []
    if unlike := _unlike(jobs):
        what = " and ".join(unlike) if spoken() == "en" else listed(unlike)
        if metric.startswith("answer@"):
            sentences.append(
                say(
                    "The jobs differ in {what}, so they are compared by {metric}: the share of questions whose evidence lies "
                    "whole within the first {n:,} tokens that are handed over.",
                    what=what,
                    metric=label(metric),
                    n=int(metric.partition("@")[2]),
                )
            )
        else:
            sentences.append(
                say(
                    "The jobs differ in {what}, and {metric} counts chunks, regardless of their size: it favours those that "
                    "hand over more text. {across} counts text.",
                    what=what,
                    metric=label(metric),
                    across=label(ACROSS),
                )
            )
    groups = by_questions(jobs)
    if len(groups) > 1:
        sentences.append(
            say(
                "These jobs ask different dev and test questions, so they are not ranked against each other: {groups}. For the "
                "same questions in all, add dataset.test_from={lender}.",
                groups=say("; ").join(_asking(group, jobs, metric, system) for group in groups),
                lender=groups[0][0].folder,
            )
        )
    if means := seed_means(jobs, metric, system):
        figures = [
            say("{settings}: {mean} ({n} seeds)", settings=one.settings, mean=number(one.mean), n=len(one.values))
            for one in means[:_SHOWN]
        ]
        rest = say("; and {n} more", n=len(means) - _SHOWN) if len(means) > _SHOWN else ""
        sentences.append(
            say(
                "Averaged over seeds, on dev ({system}, {metric}): {figures}{rest}. The best single job owes part of its figure "
                "to its seed.",
                system=system,
                metric=label(metric),
                figures=say("; ").join(figures),
                rest=rest,
            )
        )
    return sentences


def _unlike(jobs: Sequence[Job]) -> list[str]:
    """In what of that which decides the text that is handed over the finished jobs differ."""
    handed = [job.metrics["handed_over"] for job in jobs if job.metrics and "handed_over" in job.metrics]
    names = {"chunks": "chunks", "search": "windows", "expand": "what is handed over around a chunk"}
    return [retold(words) for key, words in names.items() if len({one[key] for one in handed}) > 1]


def _asking(group: Sequence[Job], jobs: Sequence[Job], metric: str, system: str) -> str:
    """Jobs that ask the same questions, how many these are, and the best of the jobs."""
    questions = (group[0].metrics or {})["dataset"]["questions"]
    return say(
        "{jobs} ({dev:,} dev and {test:,} test questions{best})",
        jobs=_named(group, jobs),
        dev=questions.get("dev", 0),
        test=questions.get("test", 0),
        best=_best(group, jobs, metric, system),
    )


def _named(group: Sequence[Job], jobs: Sequence[Job]) -> str:
    names = [name for name, job in zip(names_of(jobs), jobs, strict=True) if job in group]
    rest = len(names) - _SHOWN
    shown = listed(names[:_SHOWN]) + (say(" and {n} more", n=rest) if rest > 0 else "")
    return say("jobs {names}", names=shown) if len(names) > 1 else say("job {names}", names=shown)


def _best(group: Sequence[Job], jobs: Sequence[Job], metric: str, system: str) -> str:
    scored = [job for job in group if job.on_dev(system, metric) is not None]
    if len(scored) < 2:
        return ""
    best = by_dev(scored, metric, system)[0]
    names = dict(zip([id(job) for job in jobs], names_of(jobs), strict=True))
    return say(", best on dev: {job}", job=names[id(best)])

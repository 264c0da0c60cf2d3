"""Like with like: which jobs may be ranked against each other, and by which metric."""

from __future__ import annotations

from collections.abc import Sequence

from embft.evaluation.names import label
from embft.reporting.choosing import by_dev, seed_means
from embft.reporting.jobs import Job, names_of
from embft.reporting.phrases import number

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
        what = " and ".join(unlike)
        if metric.startswith("answer@"):
            sentences.append(
                f"The jobs differ in {what}, so they are compared by {label(metric)}: the share of questions whose evidence "
                f"lies whole within the first {int(metric.partition('@')[2]):,} tokens that are handed over."
            )
        else:
            sentences.append(
                f"The jobs differ in {what}, and {label(metric)} counts chunks, regardless of their size: it favours those that "
                f"hand over more text. {label(ACROSS)} counts text."
            )
    groups = by_questions(jobs)
    if len(groups) > 1:
        parts = [f"{_named(group, jobs)} ({_counts(group[0])}{_best(group, jobs, metric, system)})" for group in groups]
        lender = groups[0][0].folder
        sentences.append(
            f"These jobs ask different dev and test questions, so they are not ranked against each other: {'; '.join(parts)}. "
            f"For the same questions in all, add dataset.test_from={lender}."
        )
    if means := seed_means(jobs, metric, system):
        parts = [f"{one.settings}: {number(one.mean)} ({len(one.values)} seeds)" for one in means[:_SHOWN]]
        rest = f"; and {len(means) - _SHOWN} more" if len(means) > _SHOWN else ""
        sentences.append(
            f"Averaged over seeds, on dev ({system}, {label(metric)}): {'; '.join(parts)}{rest}. The best single job owes part "
            "of its figure to its seed."
        )
    return sentences


def _unlike(jobs: Sequence[Job]) -> list[str]:
    """In what of that which decides the text that is handed over the finished jobs differ."""
    handed = [job.metrics["handed_over"] for job in jobs if job.metrics and "handed_over" in job.metrics]
    names = {"chunks": "chunks", "search": "windows", "expand": "what is handed over around a chunk"}
    return [words for key, words in names.items() if len({one[key] for one in handed}) > 1]


def _named(group: Sequence[Job], jobs: Sequence[Job]) -> str:
    names = [name for name, job in zip(names_of(jobs), jobs, strict=True) if job in group]
    rest = len(names) - _SHOWN
    return f"job{'s' if len(names) > 1 else ''} {', '.join(names[:_SHOWN])}{f' and {rest} more' if rest > 0 else ''}"


def _counts(job: Job) -> str:
    questions = (job.metrics or {})["dataset"]["questions"]
    return f"{questions.get('dev', 0):,} dev and {questions.get('test', 0):,} test questions"


def _best(group: Sequence[Job], jobs: Sequence[Job], metric: str, system: str) -> str:
    scored = [job for job in group if job.on_dev(system, metric) is not None]
    if len(scored) < 2:
        return ""
    best = by_dev(scored, metric, system)[0]
    return f", best on dev: {dict(zip([id(job) for job in jobs], names_of(jobs), strict=True))[id(best)]}"

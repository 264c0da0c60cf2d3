"""Which language a run's report is in, and that of several runs; a verdict in that language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from embft.reporting.jobs import Job
from embft.reporting.verdict_words import verdict_of
from embft.results import Outcome
from embft.text.languages import languages_of
from embft.wording import LANGUAGES, spoken

_LOOKED_AT = 500
"""Chunks that the language of the corpus is told from."""


def corpus_languages(chunks: Mapping[str, str], declared: str) -> Sequence[str]:
    """The languages of the chunks, the most frequent first; ``declared``: all are in that one, where it is not ``auto``."""
    return languages_of(list(islice(chunks.values(), _LOOKED_AT)), declared).all


def report_language(outcome: Outcome) -> str:
    """The language of ``reporting.language``; ``auto``: that of more than half of the chunks, where reports know it."""
    wanted = outcome.config.reporting.language
    if wanted != "auto":
        return wanted
    return language_of(outcome.searched.values())


def language_of(texts: Iterable[str]) -> str:
    """The language of `LANGUAGES` that more than half of the first texts are in; English where none is."""
    each = languages_of(list(islice(texts, _LOOKED_AT))).each
    return next((name for name in LANGUAGES if 2 * each.count(name) > len(each)), "en")


def language_of_jobs(jobs: Iterable[Job]) -> str:
    """The language that more than half of the finished jobs' reports are in; English where none is."""
    each = [job.report_language for job in jobs if job.metrics]
    return next((name for name in LANGUAGES if 2 * each.count(name) > len(each)), "en")


def in_the_readers_words(outcome: Outcome) -> Outcome:
    """The outcome with the verdict reached again in the language that is spoken: its figures and its decision are the same."""
    if spoken() == "en":
        return outcome
    verdict = verdict_of(
        outcome.config,
        outcome.dataset,
        outcome.evaluated,
        outcome.verdict.costs,
        outcome.measured,
        outcome.general,
        outcome.judged,
    )
    return replace(outcome, verdict=verdict)

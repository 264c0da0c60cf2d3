"""What the judged pool says, in words: beside the labels, of the judge, and in the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from embft.evaluation.names import label
from embft.evaluation.verdict import Decision
from embft.judging.judgements import Agreement, JudgingReport
from embft.reporting.phrases import interval, number
from embft.wording import joined, retold, say

if TYPE_CHECKING:
    from embft.results import Outcome


def both_readings(labelled: Decision, pooled: Decision, report: JudgingReport) -> Decision:
    """The decision by the labels, which says in its headline where the pool turns it over, and in its reasons what it says."""
    judge = say("an LLM") if report.kind == "llm" else say("people")
    if labelled.decision == pooled.decision:
        reason = say(
            "With {count:,} chunks that nobody had judged judged by {judge}, the verdict is the same.",
            count=report.graded,
            judge=judge,
        )
        return replace(labelled, reasons=[*labelled.reasons, reason, *_doubts(report)])
    turned = say("With the unjudged chunks judged by {judge}: {headline}", judge=judge, headline=pooled.headline)
    reason = say(
        'The verdict depends on {count:,} chunks that nobody had judged: by the labels alone it is "{headline}"; with them '
        'judged by {judge} ({relevant:,} count as relevant) it is "{other}"',
        count=report.graded,
        headline=labelled.headline,
        judge=judge,
        relevant=report.relevant,
        other=pooled.headline,
    )
    return replace(
        labelled, headline=joined([labelled.headline, turned]), reasons=[reason, *_doubts(report), *labelled.reasons]
    )


def judge_sentences(report: JudgingReport) -> list[str]:
    """What was judged, and how far the judge can be trusted."""
    is_llm = report.kind == "llm"
    lines = [
        say(
            "The first {first} chunks of every system make a pool of {pool:,}; the dataset says nothing of {unjudged:,}. Of "
            "these {graded:,} are judged {by}, and {relevant:,} count as relevant (a grade of {least} or more).",
            first=report.first,
            pool=report.pool,
            unjudged=report.unjudged,
            graded=report.graded,
            by=say("by {judge}", judge=report.judge) if is_llm else say("in {judge}", judge=report.judge),
            relevant=report.relevant,
            least=report.relevant_from,
        )
    ]
    if report.failed or report.unread:
        lines.append(
            say(
                "{failed:,} requests failed and {unread:,} replies held no grade; these pairs stay unjudged.",
                failed=report.failed,
                unread=report.unread,
            )
        )
    if report.usd:
        lines.append(say("All judgements together cost ${usd:,.4f}.", usd=report.usd))
    if report.agreement is not None:
        lines.append(agreement_sentence(report.agreement))
    nobody = say("No system is favoured by the judge, as far as the labelled chunks can tell.")
    lines.append(retold(report.favours) if report.favours else nobody)
    return [*lines, *map(retold, report.notes)]


def agreement_sentence(agreement: Agreement) -> str:
    """The judge against the labels."""
    presumed = agreement.presumed
    start = say(
        "Against the labels of {pairs:,} chunks{presumed} the judge says the same for {same:.0%}: it calls {judge:.0%} "
        "relevant, the labels {given:.0%}.",
        pairs=agreement.pairs,
        presumed=say(" ({n:,} of them drawn at random and taken for not relevant)", n=presumed) if presumed else "",
        same=agreement.agreement,
        judge=agreement.judge,
        given=agreement.given,
    )
    if agreement.kappa is None:
        return joined([start, say("Cohen's kappa needs labels of both kinds, and grades of both kinds.")])
    grades = agreement.kappa_grades
    kappa = say(
        "Cohen's kappa: {kappa}{ends}{grades} (0: no better than chance; 1: always the same).",
        kappa=number(agreement.kappa),
        ends=f" {interval(agreement.ci95)}" if agreement.ci95 else "",
        grades="" if grades is None else say(", {kappa} over all grades", kappa=number(grades)),
    )
    return joined([start, kappa])


def judged_columns(outcome: Outcome) -> list[str]:
    """Heads of the columns after the system."""
    first, metric = outcome.config.evaluation.judging.first, label(outcome.verdict.metric)
    heads = [f"judged@{first}", say("{metric}, as labelled", metric=metric)]
    if not outcome.judged:
        return heads
    return [*heads, say("judged@{first} with the pool", first=first), say("{metric}, with the pool", metric=metric)]


def judged_rows(outcome: Outcome) -> list[tuple[str, list[str]]]:
    """System, and its cells in the order of `judged_columns`."""
    metric, pooled = outcome.verdict.metric, outcome.evaluated.pooled
    rows = []
    for system, result in outcome.evaluated.systems.items():
        cells = [
            "–" if result.judged is None else f"{result.judged:.0%}",
            _figure(result.means[metric], result.intervals.get(metric)),
        ]
        if outcome.judged is not None and pooled is not None:
            figures = pooled.systems[system]
            cells += [
                f"{outcome.judged.systems[system].judged_with_pool:.0%}",
                _figure(figures.means[metric], figures.intervals.get(metric)),
            ]
        rows.append((system, cells))
    return rows


def judged_markdown(outcome: Outcome) -> list[str]:
    """The same as lines of a Markdown table, and what is said of the judge."""
    heads = judged_columns(outcome)
    lines = [f"| {say('system')} | " + " | ".join(heads) + " |", "| --- | " + " | ".join("---:" for _ in heads) + " |"]
    lines += [f"| {system} | " + " | ".join(cells) + " |" for system, cells in judged_rows(outcome)]
    if outcome.judged is not None:
        lines += ["", *(f"- {sentence}" for sentence in judge_sentences(outcome.judged))]
    return lines


def _doubts(report: JudgingReport) -> list[str]:
    doubts = []
    agreement = report.agreement
    if report.kind == "llm" and agreement is not None and (agreement.kappa is None or agreement.kappa < 0.2):
        kappa = agreement.kappa
        doubts.append(
            say(
                "The judge is not to be trusted: Cohen's kappa against the labels {kappa}. Take a larger LLM "
                "(evaluation.judging.model), or people's judgements (evaluation.judge=FILE).",
                kappa=say("cannot be worked out") if kappa is None else say("is {kappa}", kappa=number(kappa)),
            )
        )
    if report.favours:
        doubts.append(retold(report.favours))
    return doubts


def _figure(mean: float, ends: Sequence[float] | None) -> str:
    return f"{number(mean)} {interval(ends)}" if ends is not None else number(mean)

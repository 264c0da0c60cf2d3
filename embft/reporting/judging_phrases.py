"""What the judged pool says, in words: beside the labels, of the judge, and in the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from embft.evaluation.names import label
from embft.evaluation.verdict import Decision
from embft.judging.judgements import Agreement, JudgingReport
from embft.reporting.phrases import interval, number

if TYPE_CHECKING:
    from embft.results import Outcome


def both_readings(labelled: Decision, pooled: Decision, report: JudgingReport) -> Decision:
    """The decision by the labels, which says in its headline where the pool turns it over, and in its reasons what it says."""
    judge = "an LLM" if report.kind == "llm" else "people"
    count = f"{report.graded:,} chunks that nobody had judged"
    if labelled.decision == pooled.decision:
        reason = f"With {count} judged by {judge}, the verdict is the same."
        return replace(labelled, reasons=[*labelled.reasons, reason, *_doubts(report)])
    turned = f"With the unjudged chunks judged by {judge}: {pooled.headline}"
    reason = (
        f'The verdict depends on {count}: by the labels alone it is "{labelled.headline}"; with them judged by {judge} '
        f'({report.relevant:,} count as relevant) it is "{pooled.headline}"'
    )
    return replace(
        labelled, headline=f"{labelled.headline} {turned}", reasons=[reason, *_doubts(report), *labelled.reasons]
    )


def judge_sentences(report: JudgingReport) -> list[str]:
    """What was judged, and how far the judge can be trusted."""
    by = f"by {report.judge}" if report.kind == "llm" else f"in {report.judge}"
    lines = [
        f"The first {report.first} chunks of every system make a pool of {report.pool:,}; the dataset says nothing of "
        f"{report.unjudged:,}. Of these {report.graded:,} are judged {by}, and {report.relevant:,} count as relevant (a grade of "
        f"{report.relevant_from} or more)."
    ]
    if report.failed or report.unread:
        lines.append(
            f"{report.failed:,} requests failed and {report.unread:,} replies held no grade; these pairs stay unjudged."
        )
    if report.usd:
        lines.append(f"All judgements together cost ${report.usd:,.4f}.")
    if report.agreement is not None:
        lines.append(agreement_sentence(report.agreement))
    lines.append(report.favours or "No system is favoured by the judge, as far as the labelled chunks can tell.")
    return [*lines, *report.notes]


def agreement_sentence(agreement: Agreement) -> str:
    """The judge against the labels."""
    presumed = (
        f" ({agreement.presumed:,} of them drawn at random and taken for not relevant)" if agreement.presumed else ""
    )
    start = (
        f"Against the labels of {agreement.pairs:,} chunks{presumed} the judge says the same for {agreement.agreement:.0%}: it "
        f"calls {agreement.judge:.0%} relevant, the labels {agreement.given:.0%}"
    )
    if agreement.kappa is None:
        return f"{start}. Cohen's kappa needs labels of both kinds, and grades of both kinds."
    ends = f" {interval(agreement.ci95)}" if agreement.ci95 else ""
    grades = f", {number(agreement.kappa_grades)} over all grades" if agreement.kappa_grades is not None else ""
    return f"{start}. Cohen's kappa: {number(agreement.kappa)}{ends}{grades} (0: no better than chance; 1: always the same)."


def judged_columns(outcome: Outcome) -> list[str]:
    """Heads of the columns after the system."""
    first, metric = outcome.config.evaluation.judging.first, label(outcome.verdict.metric)
    heads = [f"judged@{first}", f"{metric}, as labelled"]
    return [*heads, f"judged@{first} with the pool", f"{metric}, with the pool"] if outcome.judged else heads


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
    lines = ["| system | " + " | ".join(heads) + " |", "| --- | " + " | ".join("---:" for _ in heads) + " |"]
    lines += [f"| {system} | " + " | ".join(cells) + " |" for system, cells in judged_rows(outcome)]
    if outcome.judged is not None:
        lines += ["", *(f"- {sentence}" for sentence in judge_sentences(outcome.judged))]
    return lines


def _doubts(report: JudgingReport) -> list[str]:
    doubts = []
    agreement = report.agreement
    if report.kind == "llm" and agreement is not None and (agreement.kappa is None or agreement.kappa < 0.2):
        kappa = "cannot be worked out" if agreement.kappa is None else f"is {number(agreement.kappa)}"
        doubts.append(
            f"The judge is not to be trusted: Cohen's kappa against the labels {kappa}. Take a larger LLM "
            "(evaluation.judging.model), or people's judgements (evaluation.judge=FILE)."
        )
    if report.favours:
        doubts.append(report.favours)
    return doubts


def _figure(mean: float, ends: Sequence[float] | None) -> str:
    return f"{number(mean)} {interval(ends)}" if ends is not None else number(mean)

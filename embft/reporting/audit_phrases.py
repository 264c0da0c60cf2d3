"""The audits, slices and costs of a run in words and rows, for every form of the report."""

from __future__ import annotations

from embft.dataset.findings import Finding
from embft.evaluation.figures import General
from embft.evaluation.names import label
from embft.reporting.cost_phrases import cost_cells
from embft.reporting.markdown_text import plain
from embft.reporting.phrases import comparisons_of, interval, number, points, points_interval
from embft.results import Outcome

_AUDITS = {
    "leaks": "leaks of train into test",
    "near_copies": "near-copies of chunks",
    "repeated_questions": "repeated questions",
    "passage_dependent": "questions that need their passage",
    "unanswerable": "unanswerable questions",
    "quotes": "quotes found by their words",
    "language": "the model's language",
    "prompts": "the model's instructions",
    "truncation": "truncation",
}
COST_COLUMNS = ("Vectors", "Dimension", "Tokens", "Vectors a second", "To embed all", "Index", "A question", "API")


def audit_name(audit: str) -> str:
    """An audit's name as people write it."""
    return _AUDITS.get(audit, audit)


def warnings_of(outcome: Outcome) -> list[Finding]:
    """The findings that a reader must see; the others stand in the report alone."""
    return [finding for finding in outcome.audits.findings if finding.level != "info"]


def clean_sentence(outcome: Outcome) -> str:
    """Which audits found nothing; empty where each found something."""
    clean = [audit_name(name) for name in outcome.audits.clean]
    return f"Checked, and nothing found: {', '.join(clean)}." if clean else ""


def power_sentences(outcome: Outcome) -> list[str]:
    """What the test set could tell beforehand, and what the widest interval that matters takes to become narrow."""
    power = outcome.audits.power
    sentences = [
        f"Before the run: {power.questions:,} test questions about {power.chunks:,} chunks, worth about "
        f"{power.effective:,.0f} independent ones, show differences of about {100 * power.similar:.1f} points between similar "
        f"systems and {100 * power.unlike:.1f} between unlike ones (80% power)."
    ]
    takes = [
        f"{row.system} - {row.baseline} takes {row.questions_needed:,} questions"
        for row in comparisons_of(outcome, outcome.verdict.metric)
        if row.questions_needed is not None and row.questions_needed > power.questions
    ]
    if takes:
        precision = 100 * outcome.config.evaluation.precision
        sentences.append(f"For intervals of {precision:g} points either way: {', '.join(takes)}.")
    return sentences


def general_sentence(general: General, metric: str) -> str:
    """What tuning costs, or gains, on the other dataset."""
    row = next(row for row in general.comparisons if row.metric == metric)
    low, high = row.ci95
    sense = "a gain" if low > 0 else "a loss" if high < 0 else "which could be a gain or a loss"
    return (
        f"Elsewhere ({general.name}: {general.questions:,} questions, {general.chunks:,} chunks), tuning against the "
        f"base model: {points(row.delta)} points {points_interval(row.ci95)} of {label(metric)}, {sense}."
    )


def slice_rows(outcome: Outcome) -> tuple[list[str], list[tuple[str, str, int, list[tuple[str, str]]]]]:
    """Slices as a table.

    Returns:
        Heads of the columns after trait, value and questions; rows as trait (empty where it is the row before's), value,
        questions and cells of (figure, interval).
    """
    rows = outcome.evaluated.slices
    if not rows:
        return [], []
    heads = [*rows[0].systems, *(f"{row.system} - {row.baseline}" for row in rows[0].differences)]
    shown = []
    before = None
    for row in rows:
        cells = [(number(figure.mean), interval(figure.ci95)) for figure in row.systems.values()]
        cells += [(points(figure.delta), points_interval(figure.ci95)) for figure in row.differences]
        shown.append(("" if row.trait == before else row.trait, row.value, row.questions, cells))
        before = row.trait
    return heads, shown


def cost_rows(outcome: Outcome) -> list[tuple[str, list[str]]]:
    """System and cells in the order of `COST_COLUMNS`."""
    return [(system, cost_cells(costs)) for system, costs in outcome.verdict.costs.items()]


def slice_markdown(outcome: Outcome) -> list[str]:
    """Slices as lines of a Markdown table; none where there are no slices."""
    heads, rows = slice_rows(outcome)
    if not rows:
        return []
    lines = [
        f"| {label(outcome.verdict.metric)} by | | questions | " + " | ".join(heads) + " |",
        "| --- | --- | ---: | " + " | ".join("---" for _ in heads) + " |",
    ]
    return lines + [
        f"| {trait} | {plain(value)} | {count} | " + " | ".join(f"{figure} {ends}" for figure, ends in cells) + " |"
        for trait, value, count, cells in rows
    ]


def cost_markdown(outcome: Outcome) -> list[str]:
    """Costs as lines of a Markdown table."""
    return [
        "| system | " + " | ".join(name.lower() for name in COST_COLUMNS[:-1]) + " | API |",
        "| --- | " + " | ".join("---:" for _ in COST_COLUMNS) + " |",
        *(f"| {system} | " + " | ".join(cells) + " |" for system, cells in cost_rows(outcome)),
    ]

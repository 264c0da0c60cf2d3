"""The audits, slices and costs of a run in words and rows, for every form of the report."""

from __future__ import annotations

from embft.dataset.findings import Finding
from embft.evaluation.figures import General, SliceRow
from embft.evaluation.names import label
from embft.reporting.cost_phrases import cost_cells
from embft.reporting.markdown_text import plain
from embft.reporting.phrases import comparisons_of, interval, number, points, points_interval
from embft.results import Outcome
from embft.wording import joined, listed, retold, say, worded

_AUDITS = {
    "leaks": worded("leaks of train into test"),
    "near_copies": worded("near-copies of chunks"),
    "repeated_questions": worded("repeated questions"),
    "passage_dependent": worded("questions that need their passage"),
    "unanswerable": worded("unanswerable questions"),
    "quotes": worded("quotes found by their words"),
    "language": worded("the model's language"),
    "prompts": worded("the model's instructions"),
    "truncation": worded("truncation"),
}
_OWN_WORDS = {"page", "place", "reason"}
"""Labels of examples whose text is embft's."""
_COST_COLUMNS = (
    worded("Vectors"), worded("Dimension"), worded("Tokens"), worded("Vectors a second"), worded("To embed all"),
    worded("Index"), worded("A question"), worded("API"),
)  # fmt: skip


def audit_name(audit: str) -> str:
    """An audit's name as people write it."""
    return say(_AUDITS.get(audit, audit))


def warnings_of(outcome: Outcome) -> list[Finding]:
    """The findings that a reader must see; the others stand in the report alone."""
    return [finding for finding in outcome.audits.findings if finding.level != "info"]


def clean_sentence(outcome: Outcome) -> str:
    """Which audits found nothing; empty where each found something."""
    clean = listed(audit_name(name) for name in outcome.audits.clean)
    return say("Checked, and nothing found: {audits}.", audits=clean) if clean else ""


def finding_sentences(finding: Finding) -> str:
    """What an audit found, and what to do about it."""
    return joined(map(retold, (finding.text, finding.remedy)))


def example_rows(finding: Finding) -> list[list[tuple[str, str]]]:
    """An audit's examples, each as label and text; texts from outside are in their own language."""
    return [
        [(retold(name), retold(text) if name in _OWN_WORDS else text) for name, text in one.items()]
        for one in finding.examples
    ]


def power_sentences(outcome: Outcome) -> list[str]:
    """What the test set could tell beforehand, and what the widest interval that matters takes to become narrow."""
    power = outcome.audits.power
    sentences = [
        say(
            "Before the run: {questions:,} test questions about {chunks:,} chunks, worth about {worth:,.0f} independent ones, "
            "show differences of about {similar:.1f} points between similar systems and {unlike:.1f} between unlike ones "
            "(80% power).",
            questions=power.questions,
            chunks=power.chunks,
            worth=power.effective,
            similar=100 * power.similar,
            unlike=100 * power.unlike,
        )
    ]
    takes = [
        say("{pair} takes {n:,} questions", pair=f"{row.system} - {row.baseline}", n=row.questions_needed)
        for row in comparisons_of(outcome, outcome.verdict.metric)
        if row.questions_needed is not None and row.questions_needed > power.questions
    ]
    if takes:
        precision = 100 * outcome.config.evaluation.precision
        sentences.append(
            say(
                "For intervals of {points:g} points either way: {takes}.", points=precision, takes=say(", ").join(takes)
            )
        )
    return sentences


def general_sentence(general: General, metric: str) -> str:
    """What tuning costs, or gains, on the other dataset."""
    row = next(row for row in general.comparisons if row.metric == metric)
    low, high = row.ci95
    meaning = say("a gain") if low > 0 else say("a loss") if high < 0 else say("which could be a gain or a loss")
    return say(
        "Elsewhere ({name}: {questions:,} questions, {chunks:,} chunks), tuning against the base model: {delta} points "
        "{ends} of {metric}, {meaning}.",
        name=general.name,
        questions=general.questions,
        chunks=general.chunks,
        delta=points(row.delta),
        ends=points_interval(row.ci95),
        metric=label(metric),
        meaning=meaning,
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
        shown.append(("" if row.trait == before else retold(row.trait), _slice(row), row.questions, cells))
        before = row.trait
    return heads, shown


def _slice(row: SliceRow) -> str:
    """Which questions these are; a document has its own name in every language."""
    return row.value if row.trait == "document" else retold(row.value)


def cost_columns() -> list[str]:
    """Heads of the columns after the system."""
    return [say(name) for name in _COST_COLUMNS]


def cost_rows(outcome: Outcome) -> list[tuple[str, list[str]]]:
    """System and cells in the order of `cost_columns`."""
    return [(system, cost_cells(costs)) for system, costs in outcome.verdict.costs.items()]


def slice_markdown(outcome: Outcome) -> list[str]:
    """Slices as lines of a Markdown table; none where there are no slices."""
    heads, rows = slice_rows(outcome)
    if not rows:
        return []
    lines = [
        f"| {say('{metric} by', metric=label(outcome.verdict.metric))} | | {say('questions')} | {' | '.join(heads)} |",
        "| --- | --- | ---: | " + " | ".join("---" for _ in heads) + " |",
    ]
    return lines + [
        f"| {trait} | {plain(value)} | {count} | " + " | ".join(f"{figure} {ends}" for figure, ends in cells) + " |"
        for trait, value, count, cells in rows
    ]


def cost_markdown(outcome: Outcome) -> list[str]:
    """Costs as lines of a Markdown table."""
    heads = cost_columns()
    return [
        f"| {say('system')} | " + " | ".join(head.lower() for head in heads[:-1]) + f" | {heads[-1]} |",
        "| --- | " + " | ".join("---:" for _ in heads) + " |",
        *(f"| {system} | " + " | ".join(cells) + " |" for system, cells in cost_rows(outcome)),
    ]

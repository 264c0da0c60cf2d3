"""The summary on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from embft.evaluation.figures import ComparisonRow
from embft.evaluation.names import label
from embft.reporting.audit_phrases import audit_name, warnings_of
from embft.reporting.han_text import paragraph
from embft.reporting.markdown import refit_sentences
from embft.reporting.phrases import (
    HEADLINES,
    comparisons_of,
    headline_metrics,
    interval,
    number,
    p_value,
    points,
    points_interval,
    printable,
    seeds_sentence,
    sense,
    test_questions,
    timing_rows,
)
from embft.results import Outcome
from embft.wording import listed, retold, say, spoken

_WIDTH = 100
_STYLES = {"beats": "green", "loses to": "red"}


def print_summary(outcome: Outcome, run_folder: Path, console: Console | None = None) -> None:
    """Prints systems, comparisons, warnings and the verdict; says where the report lies.

    The verdict comes last, because the end is what stands on the screen when a run is over.
    """
    if console is None:
        terminal = Console()
        console = Console(width=min(terminal.width, _WIDTH) if terminal.is_terminal else _WIDTH, highlight=False)
    console.print(terminal_table(outcome))
    # Unwrapped, so that it can be clicked or copied.
    console.print(Text(say("Report: {file}", file=run_folder / "report.html"), style="bold"), soft_wrap=True)


def terminal_table(outcome: Outcome) -> RenderableType:
    """Everything that is understood at first sight, 100 columns wide."""
    verdict = outcome.verdict
    parts: list[RenderableType] = [paragraph(printable(test_questions(outcome)) + say(":")), _systems(outcome)]
    if spread := seeds_sentence(outcome):
        parts.append(paragraph(spread))
    rows = [row for row in comparisons_of(outcome, verdict.metric) if {"base", "bm25"} & {row.system, row.baseline}]
    if rows:
        parts.append(_comparisons(rows, verdict.metric))
    parts.extend(paragraph(sentence, "yellow") for sentence in refit_sentences(outcome))
    for note in outcome.notes:
        is_warning = note.level == "warning"
        said = printable(retold(note.text))
        text = say("Warning: {note}", note=said) if is_warning else say("Note: {note}", note=said)
        parts.append(paragraph(text, "yellow" if is_warning else "dim"))
    for finding in warnings_of(outcome):
        # One line each, at any length: what to do and the examples stand in the report.
        name, found = audit_name(finding.audit), printable(retold(finding.text))
        said = say(" {audit}: {found}", audit=name, found=found)
        parts.append(
            paragraph(say("Audit") + said) if spoken() != "en" else Text.assemble((say("Audit"), "yellow"), said)
        )
    sure = verdict.decision != "cannot_tell"
    parts.append(
        Panel(
            paragraph("\n".join(f"- {printable(reason)}" for reason in verdict.reasons)),
            title=Text(printable(verdict.headline), style="bold"),
            title_align="left",
            border_style="green" if sure else "yellow",
        )
    )
    spent = listed(
        f"{name} {seconds:.1f} s{say(' (cached)') if origin else ''}" for name, seconds, origin in timing_rows(outcome)
    )
    parts.append(Text(spent, style="dim"))
    return Group(*parts)


def _systems(outcome: Outcome) -> Table:
    systems, verdict = outcome.evaluated.systems, outcome.verdict
    # More than four do not fit; the report has the others.
    shown = [name for name in headline_metrics(outcome) if name in {*HEADLINES, verdict.metric}][-4:]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(say("system"), no_wrap=True)
    for name in shown:
        table.add_column(say("{metric}, 95%", metric=label(name)))
    best = {name: max(result.means[name] for result in systems.values()) for name in shown}
    for system, result in systems.items():
        cells = [
            Text.assemble(
                (number(result.means[name]), "bold green" if result.means[name] == best[name] else ""),
                (f" {interval(result.intervals[name])}" if name in result.intervals else "", "dim"),
            )
            for name in shown
        ]
        table.add_row(Text(system, style="bold green" if system == verdict.decision else "bold"), *cells)
    return table


def _comparisons(rows: list[ComparisonRow], metric: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(Text(say("by {metric}", metric=label(metric))), no_wrap=True)
    table.add_column(say("points"), justify="right")
    table.add_column("95%", style="dim", no_wrap=True)
    table.add_column("p", style="dim", justify="right")
    for name in (say("won"), say("lost"), say("tied")):
        table.add_column(name, justify="right")
    for row in rows:
        verb = sense(row)
        claim = Text.assemble(row.system, " ", (say(verb), _STYLES.get(verb, "yellow")), " ", row.baseline)
        p = p_value(row.p_value).removeprefix("p").removeprefix("=")
        counts = (str(count) for count in (row.wins, row.losses, row.ties))
        table.add_row(claim, points(row.delta), points_interval(row.ci95), p, *counts)
    return table

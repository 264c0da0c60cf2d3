"""The summary on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from embft.evaluation.names import label
from embft.reporting.audit_phrases import audit_name, warnings_of
from embft.reporting.phrases import (
    HEADLINES,
    comparisons_of,
    headline_metrics,
    interval,
    number,
    outcome,
    p_value,
    points,
    points_interval,
    printable,
    seeds_sentence,
    test_questions,
    timing_rows,
)

_WIDTH = 100
_STYLES = {"beats": "green", "loses to": "red"}


def print_summary(metrics: Mapping[str, Any], run_folder: Path, console: Console | None = None) -> None:
    """Prints systems, comparisons, warnings and the verdict; says where the report lies.

    The verdict comes last, because the end is what stands on the screen when a run is over.
    """
    if console is None:
        found = Console()
        console = Console(width=min(found.width, _WIDTH) if found.is_terminal else _WIDTH, highlight=False)
    console.print(terminal_table(metrics))
    # Unwrapped, so that it can be clicked or copied.
    console.print(Text(f"Report: {run_folder / 'report.html'}", style="bold"), soft_wrap=True)


def terminal_table(metrics: Mapping[str, Any]) -> RenderableType:
    """Everything that is understood at first sight, 100 columns wide."""
    verdict = metrics["verdict"]
    parts: list[RenderableType] = [Text(f"{printable(test_questions(metrics))}:"), _systems(metrics)]
    if spread := seeds_sentence(metrics):
        parts.append(Text(spread))
    rows = [
        row for row in comparisons_of(metrics, verdict["metric"]) if {"base", "bm25"} & {row["system"], row["baseline"]}
    ]
    if rows:
        parts.append(_comparisons(rows, verdict["metric"]))
    for note in metrics["notes"]:
        level = note["level"]
        text = f"{'Warning' if level == 'warning' else 'Note'}: {printable(note['text'])}"
        parts.append(Text(text, style="yellow" if level == "warning" else "dim"))
    for found in warnings_of(metrics):
        # One line each, whatever its length: what to do and the examples stand in the report.
        said = Text.assemble(("Audit", "yellow"), f" {audit_name(found['audit'])}: ", printable(found["text"]))
        parts.append(said)
    sure = verdict["decision"] != "cannot_tell"
    parts.append(
        Panel(
            Text("\n".join(f"- {printable(reason)}" for reason in verdict["reasons"])),
            title=Text(printable(verdict["headline"]), style="bold"),
            title_align="left",
            border_style="green" if sure else "yellow",
        )
    )
    spent = ", ".join(
        f"{name} {seconds:.1f} s{' (cached)' if said else ''}" for name, seconds, said in timing_rows(metrics)
    )
    parts.append(Text(spent, style="dim"))
    return Group(*parts)


def _systems(metrics: Mapping[str, Any]) -> Table:
    systems, verdict = metrics["systems"], metrics["verdict"]
    # More than four do not fit; the report has the others.
    shown = [name for name in headline_metrics(metrics) if name in {*HEADLINES, verdict["metric"]}][-4:]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("system", no_wrap=True)
    for name in shown:
        table.add_column(f"{label(name)}, 95%")
    best = {name: max(figures[name] for figures in systems.values()) for name in shown}
    for system, figures in systems.items():
        cells = [
            Text.assemble(
                (number(figures[name]), "bold green" if figures[name] == best[name] else ""),
                (f" {interval(figures['intervals'][name])}" if name in figures["intervals"] else "", "dim"),
            )
            for name in shown
        ]
        table.add_row(Text(system, style="bold green" if system == verdict["decision"] else "bold"), *cells)
    return table


def _comparisons(rows: list[Mapping[str, Any]], metric: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(Text(f"by {label(metric)}"), no_wrap=True)
    table.add_column("points", justify="right")
    table.add_column("95%", style="dim", no_wrap=True)
    table.add_column("p", style="dim", justify="right")
    for name in ("won", "lost", "tied"):
        table.add_column(name, justify="right")
    for row in rows:
        sense = outcome(row)
        said = Text.assemble(row["system"], " ", (sense, _STYLES.get(sense, "yellow")), " ", row["baseline"])
        p = p_value(row["p_value"]).removeprefix("p").removeprefix("=")
        counts = (str(row[name]) for name in ("wins", "losses", "ties"))
        table.add_row(said, points(row["delta"]), points_interval(row["ci95"]), p, *counts)
    return table

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

from embft.reporting.wording import (
    comparisons_of,
    headline_metrics,
    interval,
    label,
    number,
    sentence,
    test_questions,
    timing_rows,
)


def print_summary(metrics: Mapping[str, Any], run_folder: Path, console: Console | None = None) -> None:
    """Prints verdict, systems, comparisons and warnings; says where the report lies."""
    console = console or Console(width=min(Console().width, 110) if Console().is_terminal else 110, highlight=False)
    console.print(terminal_table(metrics))
    console.print(Text(f"Report: {run_folder / 'report.html'}", style="bold"), soft_wrap=True)


def terminal_table(metrics: Mapping[str, Any]) -> RenderableType:
    """Everything that is understood at first sight."""
    shown = headline_metrics(metrics)
    table = Table(box=box.SIMPLE_HEAD, title=test_questions(metrics), title_style="", pad_edge=False)
    table.add_column("system", style="bold")
    for name in shown:
        table.add_column(label(name), justify="right")
        table.add_column("95%", justify="left", style="dim")
    best = {name: max(figures[name] for figures in metrics["systems"].values()) for name in shown}
    for system, figures in metrics["systems"].items():
        cells: list[Text] = []
        for name in shown:
            cells.append(Text(number(figures[name]), style="bold green" if figures[name] == best[name] else ""))
            cells.append(Text(interval(figures["intervals"][name])))
        table.add_row(Text(system), *cells)
    verdict = metrics["verdict"]
    reasons = Text("\n".join(f"- {reason}" for reason in verdict["reasons"]))
    sure = verdict["decision"] != "cannot_tell"
    parts: list[RenderableType] = [table]
    parts.extend(Text(sentence(row)) for row in comparisons_of(metrics, verdict["metric"]))
    parts.append(Text(""))
    parts.extend(
        Text(f"{note['level']}: {note['text']}", style="yellow" if note["level"] == "warning" else "dim")
        for note in metrics["notes"]
    )
    parts.append(
        Panel(reasons, title=Text(verdict["headline"], style="bold"), border_style="green" if sure else "yellow")
    )
    spent = ", ".join(
        f"{name} {seconds:.1f} s{' (cached)' if cached else ''}" for name, seconds, cached in timing_rows(metrics)
    )
    parts.append(Text(spent, style="dim"))
    return Group(*parts)

"""report.md: the report in short, for a pull request or an issue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def write_markdown(path: Path, metrics: Mapping[str, Any]) -> None:
    """Writes report.md."""
    path.write_text(render_markdown(metrics), encoding="utf-8")


def render_markdown(metrics: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    verdict, experiment = metrics["verdict"], metrics["experiment"]
    lines = [f"# {verdict['headline']}", "", *(f"- {reason}" for reason in verdict["reasons"]), ""]
    lines += [f"{test_questions(metrics)}.", "", systems_table(metrics), ""]
    lines += [f"- {sentence(row)}" for row in comparisons_of(metrics, verdict["metric"])]
    if metrics["notes"]:
        lines += ["", "## Notes", "", *(f"- {note['level']}: {note['text']}" for note in metrics["notes"])]
    lines += ["", "## How to reproduce", "", "```", experiment["command"], "```", ""]
    lines += [
        f"embft {experiment['embft_version']}, commit {experiment['commit'] or 'unknown'}, Python {experiment['python']}, "
        f"{experiment['platform']}, seed {experiment['seed']}.",
        "",
        "| stage | seconds | |",
        "| --- | ---: | --- |",
        *(
            f"| {name} | {seconds:.1f} | {'cached' if cached else ''} |"
            for name, seconds, cached in timing_rows(metrics)
        ),
    ]
    return "\n".join(lines) + "\n"


def systems_table(metrics: Mapping[str, Any]) -> str:
    """Systems by metric, with intervals, as a Markdown table."""
    shown = headline_metrics(metrics)
    lines = [
        "| system | " + " | ".join(label(name) for name in shown) + " | |",
        "| --- | " + " | ".join("---" for _ in shown) + " | --- |",
    ]
    for system, figures in metrics["systems"].items():
        cells = [f"{number(figures[name])} {interval(figures['intervals'][name])}" for name in shown]
        lines.append(f"| {system} | " + " | ".join(cells) + f" | {figures['description']} |")
    return "\n".join(lines)

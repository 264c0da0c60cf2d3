"""Many runs side by side: what was set differently, what came out, what failed."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from embft.evaluation.names import LABELS, label
from embft.files import write_text
from embft.reporting.alike import fair_metric, remarks
from embft.reporting.choosing import best_on_dev, by_dev
from embft.reporting.jobs import (
    Job,
    collect,
    differing,
    names_of,
    short_keys,
    systems_of,
)
from embft.reporting.phrases import interval, number, points, points_interval, printable
from embft.reporting.summary import measured

__all__ = ["Job", "collect", "csv_text", "print_comparison", "render", "write_csv"]

_PIPED_WIDTH = 160


def print_comparison(
    folders: Sequence[Path],
    metric: str = "ndcg@10",
    system: str = "tuned",
    baseline: str = "base",
    *,
    sort: bool = False,
    fair: bool = False,
    console: Console | None = None,
) -> list[Job]:
    """Prints the table, then in words which jobs did not finish and which one dev chooses. Returns the jobs.

    Args:
        folders: Of runs and sweeps.
        metric: What is compared.
        system: Whose dev figure chooses.
        baseline: What ``system`` is compared to.
        sort: Best on dev first.
        fair: Take another metric where jobs cannot be compared by this one (`embft.reporting.alike.fair_metric`).
        console: Where it is printed.

    Raises:
        RunError: A folder is not there, or holds no run.
    """
    if console is None:
        terminal = Console()
        console = Console(highlight=False, width=terminal.width if terminal.is_terminal else _PIPED_WIDTH)
    jobs = collect(folders)
    # At the end of a sweep the system is a default: that no job has it is not the user's mistake.
    system, baseline = measured(system, jobs), measured(baseline, jobs)
    metric = fair_metric(jobs, metric) if fair else metric
    if sort:
        jobs = by_dev(jobs, metric, system)
    tables = (render(jobs, metric, baseline, system, detail=detail) for detail in (2, 1))
    unbounded = console.options.update(width=10_000)
    table = next(
        (table for table in tables if console.measure(table, options=unbounded).maximum <= console.width),
        render(jobs, metric, baseline, system, detail=0),
    )
    console.print(table)
    for remark in remarks(jobs, metric, system):
        console.print(Text(remark), soft_wrap=True)
    if (best := best_on_dev(jobs, metric, system)) is not None:
        line = f"* best on dev ({system}, {label(metric)}): {best.folder}. Test figures are for reporting, not for choosing."
        console.print(Text(line), soft_wrap=True)
    unfinished = [job for job in jobs if job.status != "ok"]
    if unfinished:
        console.print(Text(f"{len(unfinished)} of {len(jobs)} jobs did not finish:", style="bold red"))
        for job in unfinished:
            console.print(Text(f"  {job.folder}: {job.status}{', ' if job.error else ''}{job.error}"), soft_wrap=True)
    return jobs


def render(
    jobs: Sequence[Job],
    metric: str = "ndcg@10",
    baseline: str = "base",
    system: str = "tuned",
    *,
    detail: int = 2,
) -> Table:
    """All jobs as a table for the terminal.

    Args:
        jobs: From `collect`.
        metric: Shown for every system.
        baseline: What ``system`` is compared to.
        system: Whose difference to ``baseline`` is shown, and whose dev figure marks the best job.
        detail: 2 shows every system with its interval, 1 without, 0 only ``system`` and not what was cached; the
            difference keeps its interval.
    """
    keys, best = differing(jobs), best_on_dev(jobs, metric, system)
    systems = [name for name in systems_of(jobs) if detail or name == system]
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=Text(f"{label(metric)} on test; differences in points"),
        title_justify="left",
        title_style="",
    )
    table.add_column("job", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for key in short_keys(keys):
        table.add_column(Text(printable(key)), style="cyan", min_width=6, max_width=28, overflow="fold")
    for name in systems:
        table.add_column(Text(name), no_wrap=True)
    if system != baseline:
        table.add_column(Text(f"{system} - {baseline}"), no_wrap=True)
    table.add_column("dev", justify="right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    if detail:
        table.add_column("cached", justify="right", no_wrap=True)
    for name, job in zip(names_of(jobs), jobs, strict=True):
        cells = [
            Text(name + (" *" if job is best else "")),
            Text(job.status, style="" if job.status == "ok" else "red"),
        ]
        cells += [Text(printable(job.setting(key))) for key in keys]
        cells += [_figure(job, each, metric, intervals=detail > 1) for each in systems]
        if system != baseline:
            difference = job.difference(system, baseline, metric)
            cells.append(Text(f"{points(difference[0]):>5} {points_interval(difference[1:])}" if difference else ""))
        on_dev = job.on_dev(system, metric)
        ends = job.dev_interval(system, metric) if detail > 1 else None
        cells.append(
            Text("") if on_dev is None else Text.assemble(number(on_dev), (f" {interval(ends)}" if ends else "", "dim"))
        )
        cells.append(Text("" if job.seconds is None else f"{job.seconds:.1f}"))
        table.add_row(*cells, *([Text(job.cached)] if detail else []))
    return table


def write_csv(path: Path, jobs: Sequence[Job], baseline: str = "base") -> None:
    """Writes `csv_text` to a file."""
    write_text(path, csv_text(jobs, baseline))


def csv_text(jobs: Sequence[Job], baseline: str = "base") -> str:
    """One row per job: status, settings, every headline metric of every system with interval, difference and dev figure.

    Figures are as in metrics.json, not rounded; what a job lacks is empty.
    """
    keys = list(dict.fromkeys(key for job in jobs for key in job.settings))
    columns = [(system, metric) for system in systems_of(jobs) for metric in LABELS]
    heads = ("", "/ci_low", "/ci_high", f"/minus_{baseline}", "/dev")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    figures = (f"{system}/{metric}{head}" for system, metric in columns for head in heads)
    writer.writerow(["folder", "status", "error", "seconds", "cached", *keys, *figures])
    for job in jobs:
        row: list[Any] = [str(job.folder), job.status, job.error, job.seconds, job.cached]
        row += [job.setting(key) for key in keys]
        for system, metric in columns:
            low, high = job.interval(system, metric) or (None, None)
            difference = job.difference(system, baseline, metric)
            row += [job.figure(system, metric), low, high, difference and difference[0], job.on_dev(system, metric)]
        writer.writerow(row)
    return text.getvalue()


def _figure(job: Job, system: str, metric: str, *, intervals: bool) -> Text:
    value, ends = job.figure(system, metric), job.interval(system, metric)
    if value is None:
        return Text("")
    return Text.assemble(number(value), (f" {interval(ends)}" if ends and intervals else "", "dim"))

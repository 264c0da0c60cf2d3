"""Many runs side by side: what was set differently, what came out, what failed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from embft.errors import RunError
from embft.reporting.wording import LABELS, label, number


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        folder: Its folder.
        status: ``ok``, ``failed``, ``running`` or ``killed``.
        settings: Its overrides, key to value.
        metrics: metrics.json; None where the run has none.
        error: Stage and first line of what went wrong.
        seconds: Wall time; None while it runs.
    """

    folder: Path
    status: str
    settings: dict[str, str]
    metrics: dict[str, Any] | None
    error: str
    seconds: float | None


def collect(folders: Sequence[Path]) -> list[Job]:
    """Finds the runs in run folders and sweep folders, in order of their names.

    Raises:
        RunError: A folder holds no run.
    """
    jobs: list[Job] = []
    for folder in folders:
        if not folder.is_dir():
            raise RunError(f"{folder} is not a folder. Give run folders or sweep folders, such as outputs/sweeps/...")
        found = (
            [folder] if _is_run(folder) else sorted((item for item in folder.iterdir() if _is_run(item)), key=_order)
        )
        if not found:
            raise RunError(f"{folder} holds no run: neither it nor a folder in it has status.json.")
        jobs.extend(_job(item) for item in found)
    return jobs


def render(jobs: Sequence[Job], metric: str = "ndcg@10", system: str = "tuned") -> Table:
    """All jobs as a table.

    Args:
        metric: Shown for every system, with the interval for ``system``.
        system: Whose difference to base is shown, and whose dev figure marks the best job.
    """
    keys = differing(jobs)
    systems = list(dict.fromkeys(name for job in jobs if job.metrics for name in job.metrics["systems"]))
    table = Table(box=box.SIMPLE_HEAD, title=f"{label(metric)} on test", title_style="", pad_edge=False)
    table.add_column("job")
    for key in keys:
        table.add_column(key, style="cyan")
    for name in systems:
        table.add_column(name, justify="right")
    table.add_column(f"{system} - base", justify="right")
    table.add_column("dev", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("cached", justify="right")
    best = best_on_dev(jobs, metric, system)
    for job in jobs:
        settings = [Text(job.settings.get(key, "")) for key in keys]
        if job.metrics is None:
            blanks = [Text("")] * max(0, len(systems) - 1)
            said = Text(f"{job.status}: {job.error}" if job.error else job.status, style="red")
            table.add_row(
                job.folder.name, *settings, *([said, *blanks] if systems else []), *([Text("")] if systems else [said])
            )
            continue
        found = job.metrics["systems"]
        cells = [Text(number(found[name][metric]) if name in found else "") for name in systems]
        dev = found.get(system, {}).get("dev", {}).get(metric)
        cached = sum(timing["cached"] for timing in job.metrics["timings"].values())
        table.add_row(
            job.folder.name + (" *" if job is best else ""),
            *settings,
            *cells,
            Text(_delta(job, system, metric)),
            Text("" if dev is None else number(dev)),
            Text(f"{job.seconds:.1f}" if job.seconds is not None else ""),
            Text(f"{cached}/{len(job.metrics['timings'])}"),
        )
    return table


def differing(jobs: Sequence[Job]) -> list[str]:
    """The settings that are not the same in all jobs."""
    keys = list(dict.fromkeys(key for job in jobs for key in job.settings))
    return [key for key in keys if len({job.settings.get(key) for job in jobs}) > 1]


def best_on_dev(jobs: Iterable[Job], metric: str, system: str) -> Job | None:
    """The job that dev chooses; choosing by test would flatter it."""
    scored = [
        (job.metrics["systems"][system]["dev"][metric], job)
        for job in jobs
        if job.metrics and job.metrics["systems"].get(system, {}).get("dev")
    ]
    return max(scored, key=lambda pair: pair[0])[1] if len(scored) > 1 else None


def print_comparison(
    folders: Sequence[Path], metric: str = "ndcg@10", system: str = "tuned", console: Console | None = None
) -> None:
    """Prints the table, and in words which jobs failed and which one dev chooses."""
    console = console or Console(highlight=False, width=None if Console().is_terminal else 160)
    jobs = collect(folders)
    console.print(render(jobs, metric, system))
    if (best := best_on_dev(jobs, metric, system)) is not None:
        console.print(f"* best {system} by {label(metric)} on dev: {best.folder}", soft_wrap=True, markup=False)
    failed = [job for job in jobs if job.status != "ok"]
    if failed:
        console.print(f"{len(failed)} of {len(jobs)} jobs did not finish:", style="red")
        for job in failed:
            console.print(f"  {job.folder}: {job.status}, {job.error}", soft_wrap=True, markup=False)


def write_csv(path: Path, jobs: Sequence[Job]) -> None:
    """One row a job: status, settings, every headline metric of every system, seconds."""
    keys = list(dict.fromkeys(key for job in jobs for key in job.settings))
    systems = list(dict.fromkeys(name for job in jobs if job.metrics for name in job.metrics["systems"]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["folder", "status", "error", "seconds", *keys, *(f"{s}/{m}" for s in systems for m in LABELS)])
        for job in jobs:
            found: Mapping[str, Any] = job.metrics["systems"] if job.metrics else {}
            figures = [found.get(name, {}).get(metric, "") for name in systems for metric in LABELS]
            row = [str(job.folder), job.status, job.error, job.seconds, *(job.settings.get(key, "") for key in keys)]
            writer.writerow([*row, *figures])


def _delta(job: Job, system: str, metric: str) -> str:
    assert job.metrics is not None
    for row in job.metrics["comparisons"]:
        if (row["system"], row["baseline"], row["metric"]) == (system, "base", metric):
            low, high = row["ci95"]
            return f"{100 * row['delta']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
    return ""


def _is_run(folder: Path) -> bool:
    return folder.is_dir() and ((folder / "status.json").is_file() or (folder / ".hydra").is_dir())


def _order(folder: Path) -> tuple[int, str]:
    return (int(folder.name) if folder.name.isdigit() else 0, folder.name)


def _job(folder: Path) -> Job:
    status = _read(folder / "status.json") or {}
    metrics = _read(folder / "metrics.json")
    error = status.get("error") or {}
    message = str(error.get("message", "")).strip().splitlines()
    where = f"{status['stage']}: " if status.get("stage") else ""
    return Job(
        folder,
        str(status.get("status", "not started")),
        dict(_setting(item) for item in status.get("overrides", [])),
        metrics if status.get("status") == "ok" else None,
        f"{where}{message[0]}" if message else "",
        status.get("seconds"),
    )


def _setting(override: str) -> tuple[str, str]:
    key, _, value = override.partition("=")
    return key.lstrip("+~"), value


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return content if isinstance(content, dict) else None

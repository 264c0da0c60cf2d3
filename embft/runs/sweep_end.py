"""What is written when a sweep is over, also one with failed jobs: the comparison as a page and a table, one summary run.

Hydra calls its callbacks' end only where all jobs went well (a failed one raises before it), so `SweepFolders` notes the
sweep as it starts, in the process that launches the jobs, and run.py calls `finish_sweeps` when Hydra is done.
"""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from embft.config import TrackingConfig
from embft.errors import RunError
from embft.files import write_text
from embft.progress import name_job
from embft.runs import sweep_log
from embft.runs.folder import program_facts
from embft.runs.job import skipped

if TYPE_CHECKING:
    from embft.reporting.jobs import Job

logger = logging.getLogger(__name__)

PAGE, TABLE, MULTIRUN = "compare.html", "compare.csv", "multirun.yaml"
_started: dict[Path, tuple[TrackingConfig, str]] = {}
_job_folders: set[Path] = set()


class SweepFolders(Callback):
    """Hydra's callback: notes each sweep's folder, its tracking and its metric."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called once, before any job, with any launcher."""
        folder = Path(config.hydra.sweep.dir).absolute()
        tracking = OmegaConf.to_object(config.tracking)
        assert isinstance(tracking, TrackingConfig)
        _started[folder] = (tracking, str(config.evaluation.primary))
        sweep_log.begin(folder, sweep_log.count_jobs(config), os.environ.get("EMBFT_COMMAND", ""))
        if not (folder / MULTIRUN).is_file() and folder.is_dir():
            # Not every sweeper writes it, and it tells a sweep's folder from others.
            write_text(folder / MULTIRUN, OmegaConf.to_yaml(config))

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called before each job, in its process: a job may lie outside the sweep's folder, or deep in it."""
        _job_folders.add(Path(config.hydra.runtime.output_dir).absolute())
        if config.hydra.mode == RunMode.MULTIRUN:
            name_job(f"job {config.hydra.job.num}: ")

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Called after each job, in its process: says how far the sweep is."""
        if config.hydra.mode != RunMode.MULTIRUN:
            return
        outcome = "ok" if job_return.status == JobStatus.COMPLETED else "failed"
        if Path(config.hydra.runtime.output_dir) in skipped:
            outcome = "skipped"
        if words := sweep_log.end_job(Path(config.hydra.sweep.dir), config.hydra.job.num, outcome):
            # Not logged: the job's log may be that of a run that stays as it is.
            print(f"Sweep: {words}", flush=True)


def sweeps_began() -> bool:
    """Whether this process has begun a sweep."""
    return bool(_started)


def finish_sweeps() -> bool:
    """Prints each sweep's comparison, writes it into the sweep's folder, and tracks it as one summary run.

    Returns:
        Whether a job of one did not finish, or was refused its folder.
    """
    unfinished = [
        _finish(folder, tracking, metric) or "failed" in sweep_log.outcomes(folder)
        for folder, (tracking, metric) in _started.items()
    ]
    _started.clear()
    _job_folders.clear()
    skipped.clear()
    return any(unfinished)


def _finish(folder: Path, tracking: TrackingConfig, metric: str) -> bool:
    """The same for one sweep."""
    if estimates := sorted(folder.rglob("questions_estimate.json")):  # questions.dry_run: there is nothing to compare
        from embft.questions.budget import read_total

        print(f"\nAll {len(estimates)} jobs together: {read_total(estimates)}")
        return False
    from embft.reporting.alike import fair_metric
    from embft.reporting.compare import print_comparison, write_csv
    from embft.reporting.page import write_page
    from embft.reporting.summary import sweep_summary, sweep_table
    from embft.tracking import open_tracker

    outside = sorted(job for job in _job_folders if not job.is_relative_to(folder) and (job / "status.json").is_file())
    folders = [*([folder] if folder.is_dir() else []), *outside]
    if not folders:
        return False  # no job came as far as a folder; what went wrong has been said
    try:
        jobs = print_comparison(folders, metric, fair=True)
    except RunError:
        return False
    unfinished = any(job.status not in {"ok", "dry run"} for job in jobs)
    folder.mkdir(parents=True, exist_ok=True)
    metric = fair_metric(jobs, metric)
    if _is_summed_up(folder, jobs):
        logger.info("Sweep: %s (nothing is new, so there is no further summary run)", folder / PAGE)
        return unfinished
    write_page(folder / PAGE, jobs, metric)
    about = {**program_facts(), "command": os.environ.get("EMBFT_COMMAND", "")}
    settings = {"sweep": folder.name, "jobs": len(jobs), "embft": about}
    with open_tracker(
        tracking, folder=folder, name=f"{folder.name}/summary", group=folder.name, settings=settings
    ) as tracker:
        tracker.summary(sweep_summary(jobs, metric))
        tracker.table("jobs", *sweep_table(jobs, metric))
        tracker.file(folder / PAGE)
    # Last: where it is there, the summary run is there too.
    write_csv(folder / TABLE, jobs)
    logger.info("Sweep: %s", folder / PAGE)
    return unfinished


def _is_summed_up(folder: Path, jobs: Sequence[Job]) -> bool:
    """Whether an earlier end of the sweep wrote the same table."""
    from embft.reporting.compare import csv_text

    try:
        before = (folder / TABLE).read_text(encoding="utf-8")
    except OSError:
        return False
    return (folder / PAGE).is_file() and _without_times(before) == _without_times(csv_text(jobs))


def _without_times(table: str) -> list[list[str]]:
    """Rows of a sweep's table. A job that fails again takes another time, and that is no news."""
    rows = list(csv.reader(table.splitlines()))
    left_out = {place for place, name in enumerate(rows[0]) if name in {"seconds", "cached"}}
    return [[cell for place, cell in enumerate(row) if place not in left_out] for row in rows]

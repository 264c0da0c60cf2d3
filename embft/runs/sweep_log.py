"""sweep.log of a sweep's folder: when it began, by which command, and a line for each job that ends.

Jobs may run in other processes, or on other machines that share the folder. What they have to know is in their environment, and
in the log.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from embft.progress import duration

NAME = "sweep.log"
_VARIABLE = "EMBFT_SWEEP"
"""Number of jobs (0: unknown), and when the sweep began, in seconds since 1970."""
_BEGUN = re.compile(r"^(\S+ \S+)  (?:(\d+)|an unknown number of) jobs: ", re.MULTILINE)
"""The line with which a sweep begins."""
_ENDED = re.compile(r", job \d+: (ok|failed|skipped)$")
"""How the line of a job ends."""


def count_jobs(sweep: DictConfig) -> int:
    """How many jobs a sweep has, as far as its sweeper says so beforehand; else 0.

    Args:
        sweep: Composed, with Hydra's part.
    """
    if (trials := OmegaConf.select(sweep, "hydra.sweeper.n_trials")) is not None:
        return int(trials)
    if not str(OmegaConf.select(sweep, "hydra.sweeper._target_")).endswith("BasicSweeper"):
        return 0
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    params = [f"{key}={value}" for key, value in (sweep.hydra.sweeper.params or {}).items()]
    try:
        overrides = OverridesParser.create().parse_overrides([*params, *sweep.hydra.overrides.task])
        return sum(len(batch) for batch in BasicSweeper.split_arguments(overrides, None))
    except (HydraException, AssertionError, ValueError):
        return 0  # a glob, which only the sweeper resolves


def begin(folder: Path, jobs: int, command: str) -> None:
    """Notes that a sweep begins, for the jobs to come."""
    os.environ[_VARIABLE] = f"{jobs} {time.time():.3f}"
    with suppress(OSError):  # which the sweeper meets as well, and says
        folder.mkdir(parents=True, exist_ok=True)
    # In one line, and still to be pasted into a shell: what has a line break stands in single quotes there.
    for character, escaped in (("\n", r"'$'\n''"), ("\r", r"'$'\r''")):
        command = command.replace(character, escaped)
    _write(folder, f"{jobs or 'an unknown number of'} jobs: {command}")


def end_job(folder: Path, number: int, outcome: str) -> str:
    """Notes that a job ended. Returns the sweep's progress in words, "" where the sweep is not known here.

    Args:
        folder: The sweep's.
        number: The job's.
        outcome: ``ok``, ``failed`` or ``skipped``.
    """
    jobs, _, started = (os.environ.get(_VARIABLE) or _begun(folder)).partition(" ")
    if not started:
        return ""
    ends = [*outcomes(folder), outcome]
    worked = sum(end != "skipped" for end in ends)
    words = progress(len(ends), int(jobs), worked, time.time() - float(started))
    _write(folder, f"{words}, job {number}: {outcome}")
    return words


def progress(done: int, jobs: int, worked: int, seconds: float) -> str:
    """``7 of 60 jobs, about 12 min left``.

    Args:
        done: Jobs that ended.
        jobs: In all; 0: unknown.
        worked: Those of ``done`` that took time, because they were not finished before.
        seconds: Since the sweep began.
    """
    if not jobs:
        return f"{done} jobs done"
    words = f"{done} of {jobs} jobs"
    if not worked or done >= jobs:
        return words
    return f"{words}, about {duration(seconds / worked * (jobs - done))} left"


def outcomes(folder: Path) -> list[str]:
    """How the jobs ended that ended since the sweep was last begun."""
    ends: list[str] = []
    try:
        lines = (folder / NAME).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        if ended := _ENDED.search(line):
            ends.append(ended[1])
        else:
            ends = []
    return ends


def _begun(folder: Path) -> str:
    """The same as in the environment, by the log: a machine of a cluster that was there before has its own environment."""
    try:
        lines = _BEGUN.findall((folder / NAME).read_text(encoding="utf-8"))
    except OSError:
        return ""
    return f"{lines[-1][1] or 0} {datetime.fromisoformat(lines[-1][0]).timestamp():.3f}" if lines else ""


def _write(folder: Path, line: str) -> None:
    """Adds a line. A sweep does not fail for want of it."""
    try:
        with (folder / NAME).open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {line}\n")
    except OSError:
        return

"""Which sweeps jobs are of: name, when each began, and its command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embft.reporting.jobs import SWEEP, Job

_LOG = "sweep.log"
_BEGUN = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d):\d\d  (?:\d+|an unknown number of) jobs: (.*)")
"""The line of sweep.log with which a sweep begins."""


@dataclass(frozen=True)
class Sweep:
    """One sweep.

    Attributes:
        name: Its folder's.
        begun: Date and time of its first start; empty where its folder does not say.
        command: Of its last start, quoted for a shell; empty where its folder does not say.
    """

    name: str
    begun: str
    command: str


def sweeps_of(jobs: Sequence[Job]) -> list[Sweep]:
    """The sweeps that the jobs are of, in order; of a sweep in the folder of another one, both where both have jobs."""
    folders = dict.fromkeys(folder for job in jobs if (folder := _sweep_folder(job.folder.resolve())) is not None)
    return [_sweep(folder) for folder in folders]


def _sweep_folder(job: Path) -> Path | None:
    """The nearest folder above a job that is a sweep's."""
    return next((at for at in job.parents if (at / SWEEP).is_file() or (at / _LOG).is_file()), None)


def _sweep(folder: Path) -> Sweep:
    try:
        text = (folder / _LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    starts = [found for line in text.split("\n") if (found := _BEGUN.fullmatch(line))]
    if not starts:
        return Sweep(folder.name, "", "")
    return Sweep(folder.name, starts[0][1], starts[-1][2])

"""Shards by array jobs of Slurm, sent by submitit."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.config.scale import ScaleConfig
from embft.errors import ScaleError
from embft.scaling.work import claim_of, result_of
from embft.scaling.worker import work_on

logger = logging.getLogger(__name__)

JOBS = "jobs"
"""Where submitit writes scripts and logs, below the folder of the work."""
_LOOKS = 2.0
"""Seconds between two looks at the folder."""
_LAST_WORDS = 20.0
"""Seconds that workers get to end when all is done."""
_IDLE = 3
"""Arrays in turn that may end without having done a single shard."""
_TIMEOUTS = 100
"""How often submitit itself may submit a job again that ran into its time limit, or was preempted."""


class Again:
    """`work_on`, as submitit sends it: a job that runs into its limit is sent again, and finds what is left."""

    def __call__(self, folder: str, numbers: list[int], first: int, dead_after: float) -> int:
        """See `work_on`."""
        return work_on(folder, numbers, first, dead_after)

    def checkpoint(self, *arguments: Any) -> Any:
        """What submitit submits in its place."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, *arguments)


@dataclass(frozen=True)
class SlurmDriver:
    """See `embft.scaling.fleet.Driver`.

    Attributes:
        config: The array, and what each job gets.
    """

    config: ScaleConfig

    def check(self) -> None:
        """See `embft.scaling.fleet.Driver`."""
        if self.config.executor == "slurm" and shutil.which("sbatch") is None:
            raise ScaleError(
                "scale=slurm wants sbatch, and there is none here: start the run on a machine of the cluster that submits jobs, "
                "or try it out with scale.executor=local."
            )
        _import_submitit()

    def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
        """See `embft.scaling.fleet.Driver`."""
        left, idle = list(numbers), 0
        while left:
            jobs, before = self._submit(folder, left), len(left)
            try:
                while left:
                    ended = all(job.done() for job in jobs)  # before the look at the files, not after
                    there = [number for number in left if result_of(folder, number).exists()]
                    left = [number for number in left if number not in set(there)]
                    yield from there
                    if ended:
                        break
                    if not there:
                        time.sleep(_LOOKS)
            finally:
                if left:
                    cancel(jobs)
            idle = idle + 1 if len(left) == before else 0
            if left and idle == _IDLE:
                raise ScaleError(f"Slurm jobs ended {_IDLE} times without a shard. {reason_of(jobs)}")
            if left:
                logger.warning("%s shards are left of jobs that ended: they are submitted again.", f"{len(left):,}")
                for number in left:
                    claim_of(folder, number).unlink(missing_ok=True)  # all who could hold them have ended
            else:
                let_end(jobs)

    def _submit(self, folder: Path, numbers: list[int]) -> list[Any]:
        config = self.config
        executor = executor_of(config, folder / JOBS, slurm_array_parallelism=config.workers)
        count = min(config.workers, len(numbers))
        firsts = [len(numbers) * worker // count for worker in range(count)]
        with executor.batch():
            return [executor.submit(Again(), str(folder), numbers, first, config.silence_seconds) for first in firsts]


def executor_of(config: ScaleConfig, folder: Path, timeouts: int = _TIMEOUTS, **settings: object) -> Any:
    """The executor of submitit, told what each job gets.

    Args:
        folder: Gets scripts and logs.
        timeouts: How often submitit itself submits a job again that ran into its time limit.
        settings: Of submitit, besides or instead; those that begin with ``slurm_`` are Slurm's alone.
    """
    submitit = _import_submitit()
    executor = submitit.AutoExecutor(
        folder, cluster=config.executor, **{f"{config.executor}_max_num_timeout": timeouts}
    )
    settings = {
        "name": "embft",
        "timeout_min": config.minutes,
        "cpus_per_task": config.cpus,
        "gpus_per_node": int(config.gpus),
        "mem_gb": config.memory_gb,
        "stderr_to_stdout": True,
        "slurm_partition": config.partition,
        "slurm_additional_parameters": dict(_option(one) for one in config.sbatch),
        **settings,
    }
    if config.executor != "slurm":
        settings = {name: value for name, value in settings.items() if not name.startswith("slurm_")}
    executor.update_parameters(**{name: value for name, value in settings.items() if value not in (None, {})})
    return executor


def _import_submitit() -> Any:
    try:
        import submitit
    except ImportError as error:
        raise ScaleError("scale=slurm wants submitit: pip install -c constraints.txt -e '.[slurm]'") from error
    return submitit


def _option(text: str) -> tuple[str, object]:
    """``account=team`` and ``exclusive`` as submitit has them."""
    name, given, value = text.partition("=")
    return name.lstrip("-"), value if given else True


def let_end(jobs: Sequence[Any]) -> None:
    """Waits a moment for workers that are just seeing that nothing is left."""
    until = time.monotonic() + _LAST_WORDS
    while time.monotonic() < until and not all(job.done() for job in jobs):
        time.sleep(_LOOKS / 10)
    cancel(jobs)


def cancel(jobs: Sequence[Any]) -> None:
    """Ends those that have not ended."""
    for job in jobs:
        if not job.done():
            job.cancel(check=False)


def reason_of(jobs: Sequence[Any]) -> str:
    """What the last of some jobs said, and where the rest stands."""
    log = Path(jobs[-1].paths.stdout)
    try:
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        return f"Their logs are in {log.parent}."
    return f"The last lines of {log}: {' | '.join(lines[-3:])[-500:]}"

"""A long job as one job of Slurm, sent by submitit: as many tasks on each node as it has processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.config.scale import ScaleConfig
from embft.scaling.rank import do
from embft.scaling.slurm_driver import JOBS, SlurmDriver, cancel, executor_of, let_end, reason_of

_LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torch reads from the environment."""


class Rank:
    """A process of the job, as submitit sends it; after a preemption it is sent again."""

    def __init__(self, work: str) -> None:
        self.work = work

    def __call__(self, folder: str) -> None:
        """Does the work as one of the job's processes.

        Raises:
            RuntimeError: It did not come to its end.
        """
        from submitit import JobEnvironment
        from submitit.helpers import TorchDistributedEnvironment

        for name in _LAUNCHED:
            os.environ.pop(name, None)
        job = JobEnvironment()
        if job.num_tasks > 1:
            group = TorchDistributedEnvironment()
            if job.num_nodes == 1:
                group.master_addr = "127.0.0.1"  # a machine need not know its own name
            # Every process sees all GPUs of its node and takes the one of its number.
            group.export(set_cuda_visible_devices=False)
        if do(self.work, folder):
            raise RuntimeError("This process could not go on; what is known about it stands above.")

    def checkpoint(self, *arguments: Any) -> Any:
        """What submitit submits in its place."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, *arguments)


@dataclass(frozen=True)
class SubmittedJobs:
    """See `embft.scaling.long_job.Starter`.

    Attributes:
        config: What the job gets.
    """

    config: ScaleConfig

    def check(self) -> None:
        """See `embft.scaling.long_job.Starter`."""
        SlurmDriver(self.config).check()

    @contextmanager
    def started(self, folder: Path, work: str) -> Iterator[_Submitted]:
        """See `embft.scaling.long_job.Starter`."""
        config = self.config
        executor = executor_of(
            config,
            folder / JOBS,
            timeouts=0,  # whether it got any further decides whether there is another one, and submitit does not know that
            nodes=config.train_nodes,
            tasks_per_node=config.train_processes,
            gpus_per_node=int(config.gpus) * config.train_processes,
            slurm_srun_args=["--kill-on-bad-exit=1"],  # the others would wait for a process that has died
        )
        job = executor.submit(Rank(work), str(folder))
        try:
            yield _Submitted(job, config.executor)
        except BaseException:
            cancel([job])
            raise
        let_end([job])


@dataclass(frozen=True)
class _Submitted:
    """See `embft.scaling.long_job.Running`."""

    job: Any
    executor: str

    def ended(self) -> bool:
        return bool(self.job.done())

    def state(self) -> str:
        where = "of Slurm" if self.executor == "slurm" else "of this machine"
        return f"job {self.job.job_id} {where}: {str(self.job.state).lower()}"

    def last_words(self) -> str:
        return reason_of([self.job.task(0)])

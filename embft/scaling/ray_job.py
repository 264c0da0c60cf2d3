"""A long job as one task of a Ray cluster, which starts the processes on its node."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.config.scale import ScaleConfig
from embft.scaling.ray_driver import RayDriver, connected, import_ray
from embft.scaling.slurm_driver import JOBS

_DIES_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


@dataclass(frozen=True)
class RayJobs:
    """See `embft.scaling.long_job.Starter`.

    Attributes:
        config: Address, processors and GPUs.
    """

    config: ScaleConfig

    def check(self) -> None:
        """See `embft.scaling.long_job.Starter`."""
        RayDriver(self.config).check()

    @contextmanager
    def started(self, folder: Path, work: str) -> Iterator[_Task]:
        """See `embft.scaling.long_job.Starter`."""
        config, ray = self.config, import_ray()
        processes = config.train_processes
        with connected(ray, config.address):
            options = {"num_cpus": config.cpus * processes, "num_gpus": config.gpus * processes, "max_retries": 0}
            task = _Task(ray, ray.remote(**options)(do_on_this_node).remote(str(folder), work, processes))
            try:
                yield task
            finally:
                if not task.ended():
                    ray.cancel(task.reference, force=True)


def do_on_this_node(folder: str, work: str, processes: int) -> None:
    """Starts the processes, by torchrun where there are several, and waits for them.

    Raises:
        FileNotFoundError: The folder is not to be seen from here.
        RuntimeError: They did not come to their end; with their last words.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(
            f"{folder} is not to be seen on {os.uname().nodename}: put scale.folder= on a disk that all nodes share"
        )
    log = Path(folder, JOBS, f"ray-{int(time.time())}-{os.getpid()}.log")
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += ["-m", "embft.scaling.rank", work, folder]
    with log.open("w") as file:
        child = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, preexec_fn=_die_with_parent)
    try:
        status = child.wait()
    finally:
        child.terminate()
    if status:
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        raise RuntimeError(f"exit status {status}; the last lines of {log}: {' | '.join(lines[-3:])[-500:]}")


def _die_with_parent() -> None:
    """Whoever ends a task of Ray by force leaves no processes behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGTERM)


@dataclass(frozen=True)
class _Task:
    """See `embft.scaling.long_job.Running`."""

    ray: Any
    reference: Any

    def ended(self) -> bool:
        return bool(self.ray.wait([self.reference], timeout=0)[0])

    def state(self) -> str:
        return "task of Ray: ended" if self.ended() else "task of Ray: waiting or running"

    def last_words(self) -> str:
        try:
            self.ray.get(self.reference)
        except Exception as error:  # whatever Ray says about it
            return " ".join(str(getattr(error, "cause", None) or error).split())[-500:]
        return "It says that it ended well."

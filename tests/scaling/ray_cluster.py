"""A Ray cluster of machines of the test's own. Ray listens on all interfaces whatever it is told: never outside a namespace."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from namespaces import Machine, two_machines

PORT = 6379


@dataclass(frozen=True)
class RayCluster:
    """A head and a worker, a processor each.

    Attributes:
        head: Where the cluster is asked from.
        worker: May be lost.
    """

    head: Machine
    worker: Machine

    @property
    def address(self) -> str:
        """Of the cluster."""
        return f"{self.head.address}:{PORT}"


@contextmanager
def ray_cluster(cpus: int = 1) -> Iterator[RayCluster]:
    """Starts it; all of it is gone at the end. Skips the test where namespaces are not to be had."""
    # Names of sockets below it must be short.
    folder = Path(mkdtemp(prefix="r", dir="/tmp"))
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--disable-usage-stats", f"--num-cpus={cpus}"]
    start += ["--num-gpus=0", "--object-store-memory=80000000"]
    try:
        with two_machines() as (head, worker):
            head.run(
                *start, "--head", f"--node-ip-address={head.address}", f"--port={PORT}", "--include-dashboard=false",
                f"--temp-dir={folder}",
            )  # fmt: skip
            worker.run(*start, f"--address={head.address}:{PORT}", f"--node-ip-address={worker.address}")
            yield RayCluster(head, worker)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

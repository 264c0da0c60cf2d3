"""A Ray cluster of machines of the test's own. Ray listens on all interfaces whatever it is told: never outside a namespace."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp

from namespaces import Machine, two_machines

PORT = 6379


@dataclass(frozen=True)
class RayCluster:
    """A head and a worker, a processor each.

    Attributes:
        head: Where the cluster is asked from.
        worker: May be lost.
        environment: Whoever asks the cluster needs it: it holds the cluster's own token.
    """

    head: Machine
    worker: Machine
    environment: Mapping[str, str]

    @property
    def address(self) -> str:
        """Of the cluster."""
        return f"{self.head.address}:{PORT}"


@contextmanager
def ray_cluster(cpus: int = 1) -> Iterator[RayCluster]:
    """Starts it; all of it is gone at the end. Skips the test where namespaces are not to be had."""
    # Else a token that another Ray has left in the home folder would decide whether one is asked for.
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32)}
    # Names of sockets below it must be short.
    folder = Path(mkdtemp(prefix="r", dir="/tmp"))
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--disable-usage-stats", f"--num-cpus={cpus}"]
    start += ["--num-gpus=0", "--object-store-memory=80000000"]
    try:
        with two_machines() as (head, worker):
            head.run(
                *start, "--head", f"--node-ip-address={head.address}", f"--port={PORT}", "--include-dashboard=false",
                f"--temp-dir={folder}", env=environment,
            )  # fmt: skip
            own = f"--node-ip-address={worker.address}"
            worker.run(*start, f"--address={head.address}:{PORT}", own, env=environment)
            yield RayCluster(head, worker, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""``torchrun --nproc-per-node 2 SCRIPT``, as forks of what is imported once.

`torchrun program` is `elastic_launch(config, program)`. With a function in the program's place the agent forks its workers
instead of starting Python anew, and all else is the same: rendezvous, environment, watch over the workers, exit status.
"""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forks import Fork, run_script


def launch(function: Callable[..., Any], *arguments: Any) -> None:
    """What torchrun does, but for its command line: calls a function in each of two processes."""
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=2,
        run_id=str(uuid.uuid4()),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        start_method="fork",
    )
    elastic_launch(config, function)(*arguments)


def torchrun(script: Path, *arguments: str | Path, cwd: Path, environment: Mapping[str, str]) -> Fork:
    """Starts a script in two processes; each writes its number into ``.rank-0`` or ``.rank-1``."""
    return Fork(launch, _worker, tuple(map(str, (script, *arguments))), cwd=cwd, environment=environment)


def _worker(command: tuple[str, ...]) -> None:
    # A fork keeps the agent's handlers; what torchrun starts has none, and SIGTERM ends it at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Path(f".rank-{os.environ['RANK']}").write_text(str(os.getpid()), encoding="utf-8")
    try:
        run_script(command)
    except SystemExit as end:
        # One that ends well returns, or the agent would wait for what it has to say.
        if end.code:
            raise

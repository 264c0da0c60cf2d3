"""Shards as tasks on a Ray cluster that is there."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.config.scale import ScaleConfig
from embft.errors import EmbftError, ScaleError
from embft.scaling.shard import do_shard
from embft.scaling.work import result_of

logger = logging.getLogger(__name__)

_LOOKS = 5.0
"""Seconds after which nodes are counted again, if no task has ended."""
_PATIENCE = 60.0
"""Seconds without any task under way after which that is said."""
_AHEAD = 2
"""Tasks for each place that a task can run at: the next one waits there already."""
_LOSSES, _FAILURES = 20, 3
"""How often a shard is sent out again after its node was lost, and after it failed."""


@dataclass(frozen=True)
class RayDriver:
    """See `embft.scaling.fleet.Driver`.

    Attributes:
        config: Address, processors and GPUs.
    """

    config: ScaleConfig

    def check(self) -> None:
        """See `embft.scaling.fleet.Driver`: the cluster is joined, and left again."""
        with connected(import_ray(), self.config.address):
            pass

    def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
        """See `embft.scaling.fleet.Driver`."""
        ray = import_ray()
        with connected(ray, self.config.address):
            # GPU tasks end their process each time unless told otherwise, and the model would be loaded for each shard.
            options = {"num_cpus": self.config.cpus, "num_gpus": self.config.gpus, "max_retries": 0, "max_calls": 0}
            yield from _Tasks(ray, ray.remote(**options)(do_shard), self.config, folder).finished(numbers)


class _Tasks:
    """Tasks under way."""

    def __init__(self, ray: Any, task: Any, config: ScaleConfig, folder: Path) -> None:
        self._ray = ray
        self._task = task
        self._config = config
        self._folder = folder
        self._under_way: dict[Any, int] = {}
        self._lost: Counter[int] = Counter()
        self._failed: Counter[int] = Counter()

    def finished(self, numbers: Sequence[int]) -> Iterator[int]:
        waiting, idle_since, told = deque(numbers), time.monotonic(), False
        try:
            while waiting or self._under_way:
                while waiting and len(self._under_way) < _AHEAD * max(1, self._places()):
                    number = waiting.popleft()
                    self._under_way[self._task.remote(str(self._folder), number)] = number
                done, _ = self._ray.wait(list(self._under_way), num_returns=1, timeout=_LOOKS)
                if not done and not told and not self._places() and time.monotonic() - idle_since > _PATIENCE:
                    told = True
                    logger.warning("%s", self._nowhere())
                for reference in done:
                    idle_since, number = time.monotonic(), self._under_way.pop(reference)
                    if self._is_done(reference, number):
                        yield number
                    else:
                        waiting.append(number)
        finally:
            for reference in self._under_way:
                self._ray.cancel(reference, force=True)

    def _is_done(self, reference: Any, number: int) -> bool:
        """Whether a task that ended has done its shard; if not, it is to be sent out again.

        Raises:
            ScaleError: It failed too often.
        """
        try:
            self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            self._failed[number] += 1
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, EmbftError):
                raise ScaleError(str(cause)) from error
            if self._failed[number] >= _FAILURES:
                raise ScaleError(
                    f"Shard {number} failed {_FAILURES} times on the Ray cluster: {_line(cause)}"
                ) from error
            logger.warning("Shard %s failed and is sent out again: %s", number, _line(cause))
            return False
        except self._ray.exceptions.RayError as error:
            self._lost[number] += 1
            if self._lost[number] >= _LOSSES:
                raise ScaleError(f"Nodes were lost with shard {number} {_LOSSES} times: {_line(error)}") from error
            logger.warning("A node or process was lost with shard %s: another one does it.", number)
            return False
        if not result_of(self._folder, number).exists():
            raise ScaleError(
                f"A node has done shard {number}, and {self._folder} does not show it here: the nodes have a folder of that name "
                "which is not shared. Put scale.folder= on a disk that all of them share."
            )
        return True

    def _places(self) -> int:
        """Tasks that can run at once, as many nodes as there are now."""
        there = self._ray.cluster_resources()
        places = int(there.get("CPU", 0) // self._config.cpus)
        return min(places, int(there.get("GPU", 0) / self._config.gpus)) if self._config.gpus else places

    def _nowhere(self) -> str:
        there = self._ray.cluster_resources()
        return (
            f"Waiting: the Ray cluster has {there.get('CPU', 0):g} processors and {there.get('GPU', 0):g} GPUs, and each worker "
            f"wants {self._config.cpus} and {self._config.gpus:g} (scale.cpus, scale.gpus). It goes on when such a node joins."
        )


def import_ray() -> Any:
    """Ray.

    Raises:
        ScaleError: It is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise ScaleError("scale=ray wants Ray: pip install -c constraints.txt -e '.[ray]'") from error
    return ray


@contextmanager
def connected(ray: Any, address: str) -> Iterator[None]:
    """Joins the cluster, and leaves it; one that was joined before, as by a sweep's launcher, is used and kept."""
    if ray.is_initialized():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        raise ScaleError(
            f"There is no Ray cluster to be reached at scale.address={address} ({_line(error)}). Start one, `ray start --head` "
            "and on other nodes `ray start --address=HEAD:6379`, with the same versions of Python and Ray; ray://HOST:10001 "
            "reaches one from outside."
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)  # a run that is told to end says so in its status
    try:
        yield
    finally:
        ray.shutdown()


def _line(error: Exception) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words[-300:]

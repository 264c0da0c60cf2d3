"""One experiment on several processes: torchrun starts them, process 0 runs the program, the others help it to train.

Process 0 says through torchrun's key-value store that a job begins or that all is over; until the first job nothing else
joins the processes, so an experiment whose fine-tunes are cached costs the others nothing. The waits may be long: an LLM
writes questions meanwhile. Where one process ends with an error, torchrun ends the others.
"""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from embft.config.training import TrainingConfig
from embft.errors import EmbftError, TrainingError

logger = logging.getLogger(__name__)

Help = Callable[[], None]
"""What another process does in a job; it is sent there, so all that it holds can be pickled."""

_PATIENCE = timedelta(days=30)
"""For the next job. A process that is gone ends the wait at once, so this is not what finds out about that."""
_GRACE = timedelta(seconds=60)
"""For all processes to come to the same error, where one came to it."""
_CONNECTION = ("connection", "socket", "broken pipe")
"""Words of errors that say that another process is gone."""


class OthersLostError(TrainingError):
    """Another process has ended: a new start continues from the last whole checkpoint."""


def launched() -> bool:
    """Whether this is one of several processes of a torchrun."""
    return "RANK" in os.environ and world() > 1


def world() -> int:
    """Processes that torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """This process's number; 0 without torchrun."""
    return int(os.environ["RANK"]) if launched() else 0


def launch_problems(config: TrainingConfig) -> list[str]:
    """What the recipe and the number of processes have against each other; sentences. Needs no torch."""
    if not config.enabled or not launched() or config.batch_size >= world():
        return []
    return [
        f"training.batch_size={config.batch_size} chunks cannot be dealt out to {world()} processes: raise it, or start "
        "fewer (torchrun --nproc-per-node)."
    ]


def run_distributed(lead: Callable[[], int]) -> int:
    """Runs ``lead`` in process 0 and has the others help with the jobs that it begins; returns the exit status."""
    if not launched():
        return lead()
    if rank():
        return _Group.follow()
    return _Group.lead(lead)


@contextlib.contextmanager
def with_helpers(help_: Help, device: str) -> Iterator[None]:
    """In process 0: the others run ``help_`` while the block runs. Without torchrun: only the block runs.

    Args:
        help_: Takes part in the same collectives, in the same order, as the block.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: There are no helpers, not as many devices as processes, or a helper has ended.
    """
    if not launched():
        yield
        return
    group = _Group.current
    if group is None:
        raise TrainingError(
            "Under torchrun the jobs of a sweep run one after another in the process that torchrun started: leave out "
            "hydra/launcher=..., and start run.py, not another program."
        )
    group.begin(help_, device)
    try:
        yield
    except EmbftError:
        # A loss that is not a number is one in every process: they all stop there and can go on with the next job.
        group.lost = not group.all_left()
        raise
    except BaseException as error:
        group.lost = True
        if _says_gone(error):
            raise OthersLostError(
                "Another process of this torchrun has ended; if it could say why, that stands above. The same command continues "
                "from the last whole checkpoint."
            ) from error
        raise


def _says_gone(error: BaseException) -> bool:
    """Whether an error of torch's says that another process is gone."""
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in message for word in _CONNECTION)


class _Group:
    """The processes of a torchrun, as one of them sees the others."""

    current: _Group | None = None

    def __init__(self) -> None:
        from torch.distributed.rendezvous import rendezvous

        self._store: Any = next(rendezvous("env://", timeout=_PATIENCE))[0]
        self._number = 0
        self.lost = False

    @classmethod
    def lead(cls, program: Callable[[], int]) -> int:
        group = cls.current = cls()
        try:
            status = program()
        except SystemExit as end:
            if end.code:
                raise
            status = 0
        if not group.lost:
            group._tell("end")
            group._leave()
        return status

    @classmethod
    def follow(cls) -> int:
        """Helps until there is no more to help with."""
        logging.basicConfig(level=logging.WARNING, format=f"[process {rank()}] %(levelname)s %(message)s")
        try:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
                group = cls()
                while help_ := group._next_job():
                    group._take_part(help_)
                group._leave()
        except KeyboardInterrupt:
            return 130
        except Exception as error:
            if not _says_gone(error):
                logger.exception("This process cannot go on, so the run ends.")
            return 1
        return 0

    def begin(self, help_: Help, device: str) -> None:
        """Has the others begin with a job."""
        import torch

        if self.lost:
            raise TrainingError("An earlier job lost the other processes of this torchrun: start the rest anew.")
        here = int(os.environ.get("LOCAL_WORLD_SIZE", world()))
        if device == "cuda" and torch.cuda.device_count() < here:
            raise TrainingError(
                f"{here} processes share {torch.cuda.device_count()} GPUs: start as many as there are GPUs "
                "(torchrun --nproc-per-node)."
            )
        if device == "mps":
            raise TrainingError("torchrun cannot train on mps: start run.py without it, or use training.device=cpu.")
        self._tell("job")
        self._join()
        torch.distributed.broadcast_object_list([help_], src=0, device=torch.device("cpu"))

    def all_left(self) -> bool:
        """Whether the others leave the job, as this process has just done by an error."""
        self._leave_job()
        try:
            self._store.wait([self._key("left", other) for other in range(1, world())], _GRACE)
        except RuntimeError:  # torch's DistError is one
            return False
        return True

    def _tell(self, what: str) -> None:
        self._number += 1
        self._store.set(self._key("next"), what)

    def _next_job(self) -> Help | None:
        import torch

        self._number += 1
        self._store.wait([self._key("next")], _PATIENCE)
        if self._store.get(self._key("next")) != b"job":
            return None
        self._join()
        received: list[Any] = [None]
        torch.distributed.broadcast_object_list(received, src=0, device=torch.device("cpu"))
        help_: Help = received[0]
        return help_

    def _take_part(self, help_: Help) -> None:
        """Helps; an error that process 0 comes to as well ends the job, and process 0 says what it was."""
        try:
            help_()
        except EmbftError:
            self._leave_job()
            self._store.wait([self._key("left", 0)], _GRACE)
        else:
            self._leave_job()

    def _leave_job(self) -> None:
        self._store.set(self._key("left", rank()), "1")

    def _key(self, *parts: object) -> str:
        return "/".join(["embft", str(self._number), *map(str, parts)])

    def _join(self) -> None:
        import torch

        if torch.distributed.is_initialized():
            return
        # Said by accelerate about how sentence-transformers calls it.
        warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
        backend, here = "gloo", int(os.environ.get("LOCAL_RANK", "0"))
        if torch.cuda.is_available() and here < torch.cuda.device_count():
            torch.cuda.set_device(here)
            backend = "cpu:gloo,cuda:nccl"
        torch.distributed.init_process_group(
            backend,
            store=torch.distributed.PrefixStore("group", self._store),  # type: ignore[attr-defined]
            rank=rank(),
            world_size=world(),
            timeout=_PATIENCE,
        )

    def _leave(self) -> None:
        from torch import distributed

        if distributed.is_initialized():
            distributed.destroy_process_group()

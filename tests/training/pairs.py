"""Trainings on two processes that are killed: torchrun's agent and its workers, each a fork of what is imported once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import defaultdict
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from forks import CONTEXT
from torchrun import launch
from victims import tell_phases

LIMIT = 60.0
"""Seconds within which all processes of a training have to be gone: torchrun itself gives them 30."""


def worker(root: Path, settings: dict[str, Any], said: Connection) -> None:
    """One of the two: trains, or helps."""
    from tiny import train

    from embft.training.processes import rank, run_distributed

    # A fork keeps the agent's handlers; what torchrun starts has none, and SIGTERM ends it at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    said.send((rank(), os.getpid()))
    tell_phases(lambda phase: said.send((rank(), phase)))
    if rank():
        _write_late()

    def lead() -> int:
        train(root, **settings)
        # A kill that comes late hits nothing here. After it workers wait for the agent through a lock of Python's, and one
        # that is killed there leaves the agent waiting for ever; what torchrun starts has no such lock.
        time.sleep(0.3)
        return 0

    if run_distributed(lead):
        sys.exit(1)


def _write_late() -> None:
    """Has this process write its part of a checkpoint when process 0, left alone, would be done with the rest."""
    from transformers import Trainer

    write = Trainer._save_rng_state

    def late(self: Any, output_dir: str) -> None:
        time.sleep(0.02)
        write(self, output_dir)

    Trainer._save_rng_state = late


class Pair:
    """A training on two processes below an agent."""

    def __init__(self, root: Path, settings: dict[str, Any]) -> None:
        self._heard, said = CONTEXT.Pipe(duplex=False)
        self.agent = CONTEXT.Process(target=launch, args=(worker, root, settings, said))
        self.agent.start()
        self.workers: dict[int, int] = {}
        said.close()

    def finish(self) -> dict[tuple[int, str], float]:
        """Lets it end; returns the mean seconds of each process's phases."""
        spent: dict[tuple[int, str], list[float]] = defaultdict(list)
        began: dict[int, tuple[str, float]] = {}
        while (said := self._hear()) is not None:
            rank, phase = said
            if rank in began:
                spent[rank, began[rank][0]].append(time.perf_counter() - began[rank][1])
            began[rank] = phase, time.perf_counter()
        for rank, (phase, at) in began.items():
            spent[rank, phase].append(time.perf_counter() - at)
        self.agent.join()
        assert self.agent.exitcode == 0
        return {name: sum(values) / len(values) for name, values in spent.items()}

    def kill(self, whom: tuple[str, ...], rank: int, phase: str, entered: int, wait: float) -> str | None:
        """Kills some of the three ``wait`` seconds into a phase that a process enters for the ``entered``-th time.

        Args:
            whom: ``agent``, ``0``, ``1``, in the order in which they are killed.
            rank: Whose phase.

        Returns:
            The phase that the process died in; None where the training had ended before.
        """
        said: tuple[int, Any] | None = None
        while entered and (said := self._hear()) is not None and said != (0, "final"):
            entered -= said == (rank, phase)
        died_in = None if said is None else said[1]
        if said is not None:
            time.sleep(wait)
            self._strike(*whom)
        began = time.monotonic()
        while (later := self._hear()) is not None:
            if later[0] == rank:
                died_in = later[1]
        self.agent.join(LIMIT)
        assert time.monotonic() - began < LIMIT, "the others went on without those that were killed"
        assert self.agent.exitcode is not None
        return died_in if self.agent.exitcode else None

    def _strike(self, *whom: str) -> None:
        pids = {"agent": self.agent.pid, **{str(rank): pid for rank, pid in self.workers.items()}}
        for name in whom:
            if pid := pids.get(name):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _hear(self) -> tuple[int, Any] | None:
        """The next that a worker says; None once all three processes are gone."""
        if not self._heard.poll(LIMIT):
            self._strike("agent", "0", "1")
            raise AssertionError(f"nothing happened for {LIMIT} seconds")
        try:
            rank, what = self._heard.recv()
        except EOFError:
            return None
        if isinstance(what, int):
            self.workers[rank] = what
            return self._hear()
        return rank, what

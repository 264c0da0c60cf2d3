"""One job that other machines do for long: it goes on where it was killed, as often as it gets any further."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

from embft.errors import ScaleError
from embft.heartbeat import Heartbeat

logger = logging.getLogger(__name__)

CLAIM = "claim"
"""In the job's folder: the sign of life of the process that is at it."""
_LOOKS = 1.0
"""Seconds between two looks at the folder."""
_IDLE, _MOST = 3, 100
"""Jobs in turn that may end without getting any further; jobs in all."""


class Running(Protocol):
    """A job that was started."""

    def ended(self) -> bool:
        """Whether it has ended, however."""
        ...

    def state(self) -> str:
        """What it is doing, in a few words: ``job 17 of Slurm: pending``."""
        ...

    def last_words(self) -> str:
        """What it said last, and where the rest stands."""
        ...


class Starter(Protocol):
    """Has other machines do a job."""

    def check(self) -> None:
        """Sees to it that it can, before any other work.

        Raises:
            ScaleError: It cannot.
        """
        ...

    def started(self, folder: Path, work: str) -> AbstractContextManager[Running]:
        """Starts a job, and ends it if it has not ended when the block is left.

        Args:
            folder: Where the job finds what it needs and puts what it makes; all machines see it.
            work: ``module:function`` of embft, which every process of the job calls with the folder.

        Raises:
            ScaleError: The machines cannot be reached.
        """
        ...


@dataclass(frozen=True)
class LongJob:
    """See the module.

    Attributes:
        starter: How the machines are asked.
        folder, work: See `Starter.started`.
        dead_after: Seconds without a sign of life after which a process counts as dead.
    """

    starter: Starter
    folder: Path
    work: str
    dead_after: float

    def see_through(self, is_over: Callable[[str], bool], how_far: Callable[[], object]) -> None:
        """Returns when it is over.

        Args:
            is_over: Is told what the job is doing, and says whether its result is there. It may raise.
            how_far: What a new job would continue from. A job that ends with the same one that it began with has done nothing.

        Raises:
            ScaleError: The machines cannot be reached, or job after job ends without a result.
        """
        idle, done = 0, False
        for number in count(1):
            if self._wait_for_another(is_over):
                return
            before = how_far()
            with self.starter.started(self.folder, self.work) as job:
                logger.info("Begun: %s.", job.state())
                while not (done := is_over(job.state())) and not job.ended():
                    time.sleep(_LOOKS)
                if done or is_over(job.state()):  # the job may have put it there as it ended
                    return
                state, words = job.state(), job.last_words()
            idle = idle + 1 if how_far() == before else 0
            if idle == _IDLE or number == _MOST:
                further = "without getting any further" if idle == _IDLE else "without an end"
                times = idle if idle == _IDLE else number
                raise ScaleError(f"Jobs ended {times} times {further}; the last one, {state}. {words}")
            logger.warning("Ended without a result: %s. Another job continues from the last checkpoint.", state)

    def _wait_for_another(self, is_over: Callable[[str], bool]) -> bool:
        """Waits while a process is at it that this one has not started; returns whether it is over.

        A run that was killed may have left one, which is as good as a new one. So may a job that was killed just now: what it
        has left is known to be nobody's after a while.
        """
        claim, told = Heartbeat(self.folder / CLAIM, self.dead_after), False
        while not is_over("a job that was started before"):
            if claim.take():
                claim.release()
                return False
            if not told:
                logger.info("Waiting for %s, which is at it or has died at it.", claim.holder())
                told = True
            time.sleep(_LOOKS)
        return True

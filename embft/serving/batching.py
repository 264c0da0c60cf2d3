"""Dynamic batching: what arrives while the model computes is computed together next.

A batch is what is there when the model is free. One thread computes, so that texts of many clients share a matrix product
instead of taking turns on the cores. Clients that ask again as soon as they are answered are waited for, but never longer than
a sixteenth of the time that their last batch took: else they would fall apart into batches that take turns, each smaller than
it could be. A client that is alone waits for nobody.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

Work = Callable[[Any, Sequence[Any]], Sequence[Any]]
"""A kind of work and its items to a result for each item."""
_FOR_COMPANY = 1 / 16
"""Of the time that a batch took: how long those that it answered are waited for."""


class TooBusyError(Exception):
    """The queue is full."""


class StoppingError(Exception):
    """The server is about to end."""


@dataclass(eq=False)
class _Job:
    """One request's items.

    Attributes:
        kind: What is done with them; items of one kind may share a batch.
        results: In the items' order, filled batch by batch.
        taken, done: How many items are under way, and ready.
    """

    kind: Hashable
    items: Sequence[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[list[Any]]
    results: list[Any] = field(default_factory=list)
    taken: int = 0
    done: int = 0


class Batcher:
    """Computes items of many requests together, on a thread of its own.

    Args:
        work: Computes a batch.
        batch: Items in a batch at most.
        queue: Items that may wait.
        seen: Is told each batch's size.
    """

    def __init__(self, work: Work, batch: int, queue: int, seen: Callable[[int], None] = lambda size: None) -> None:
        self._work = work
        self._batch = batch
        self._most = queue
        self._seen = seen
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Items in the queue."""
        return self._waiting

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._thread.is_alive()

    async def submit(self, kind: Hashable, items: Sequence[Any]) -> list[Any]:
        """The items' results, in their order.

        Raises:
            TooBusyError: As many items wait as may.
            StoppingError: `stop` was called.
            Exception: What the work raised.
        """
        loop = asyncio.get_running_loop()
        job = _Job(kind, items, loop, loop.create_future(), [None] * len(items))
        with self._changed:
            if self._stopping:
                raise StoppingError
            # A request that is larger than the queue still has its turn where nothing else waits.
            if self._waiting and self._waiting + len(items) > self._most:
                raise TooBusyError
            self._waiting += len(items)
            self._jobs.append(job)
            self._changed.notify()
        return await job.future

    def stop(self) -> None:
        """Takes nothing more; what waits is still computed. Returns when it is."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        expected, until = 0, 0.0
        while True:
            with self._changed:
                while not self._jobs and not self._stopping:
                    self._changed.wait()
                if not self._jobs:
                    return
                while (
                    len(self._jobs) < expected
                    and self._waiting < self._batch
                    and not self._stopping
                    and (left := until - time.monotonic()) > 0
                ):
                    self._changed.wait(left)
                parts = self._take()
            started = time.monotonic()
            expected = self._compute(parts)
            ended = time.monotonic()
            until = ended + _FOR_COMPANY * (ended - started)

    def _take(self) -> list[tuple[_Job, int, int]]:
        """The next batch: of the oldest request's kind, a fair share of each request, so that a large one holds up none."""
        kind = self._jobs[0].kind
        mates = [job for job in self._jobs if job.kind == kind][: self._batch]
        share, room = max(1, self._batch // len(mates)), self._batch
        parts = []
        for job in mates:
            count = min(share, room, len(job.items) - job.taken)
            # What others leave over goes to those who have more.
            if job is mates[-1]:
                count = min(room, len(job.items) - job.taken)
            if count:
                parts.append((job, job.taken, job.taken + count))
                job.taken += count
                room -= count
        self._jobs = deque(job for job in self._jobs if job.taken < len(job.items))
        if self._jobs and self._jobs[0].kind == kind and any(job.kind != kind for job in self._jobs):
            # Another kind's turn: nobody starves behind a stream of one kind.
            self._jobs = deque(sorted(self._jobs, key=lambda job: job.kind == kind))
        self._waiting -= sum(end - start for _, start, end in parts)
        return parts

    def _compute(self, parts: list[tuple[_Job, int, int]]) -> int:
        """Computes a batch; returns how many requests it answered or found waiting."""
        items = [item for job, start, end in parts for item in job.items[start:end]]
        self._seen(len(items))
        try:
            results = list(self._work(parts[0][0].kind, items))
        except Exception as error:  # it is each request's answer; the thread lives on
            for job, _, _ in parts:
                with self._changed:
                    if job in self._jobs:
                        self._jobs.remove(job)
                        self._waiting -= len(job.items) - job.taken
                _answer(job, error)
            return 0
        place, company = 0, len(self._jobs)  # before anybody is answered, and asks again
        for job, start, end in parts:
            job.results[start:end] = results[place : place + end - start]
            place += end - start
            job.done += end - start
            if job.done == len(job.items):
                _answer(job, job.results)
                company += 1
        return company


def _answer(job: _Job, answer: list[Any] | Exception) -> None:
    def put() -> None:
        if job.future.done():  # the client is gone
            return
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)

    job.loop.call_soon_threadsafe(put)

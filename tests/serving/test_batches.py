"""Items of many requests, computed together: whose turn it is, and what becomes of those that fail or leave."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from embft.serving import batching
from embft.serving.batching import Batcher, StoppingError, TooBusyError


class Worker:
    """Doubles numbers; holds the first batch until it is let go, so that others gather behind it."""

    def __init__(self) -> None:
        self.batches: list[tuple[Any, list[int]]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, kind: Any, items: Sequence[int]) -> list[int]:
        self.batches.append((kind, list(items)))
        self.begun.set()
        assert self.go.wait(30)
        if 13 in items:
            raise RuntimeError("thirteen")
        return [2 * item for item in items]


def together(worker: Worker, batch: int, waiting: int, *requests: tuple[str, list[int]]) -> list[Any]:
    """Sends a first request of one item, the others while it computes; their results, or the exceptions."""

    async def all_of_them() -> list[Any]:
        batcher = Batcher(worker, batch, waiting)
        batcher.start()
        first = asyncio.create_task(batcher.submit("a", [0]))
        await asyncio.to_thread(worker.begun.wait, 30)
        others = [asyncio.create_task(batcher.submit(kind, items)) for kind, items in requests]
        await asyncio.sleep(0)
        worker.go.set()
        results = await asyncio.gather(first, *others, return_exceptions=True)
        await asyncio.to_thread(batcher.stop)
        assert batcher.waiting == 0
        return results[1:]

    return asyncio.run(all_of_them())


def test_what_arrives_while_the_model_computes_is_computed_together_next():
    worker = Worker()
    assert together(worker, 8, 99, *(("a", [number]) for number in range(1, 6))) == [[2], [4], [6], [8], [10]]
    assert worker.batches == [("a", [0]), ("a", [1, 2, 3, 4, 5])]


def test_a_large_request_takes_its_share_and_holds_up_nobody():
    worker = Worker()
    large, small = together(worker, 4, 99, ("a", list(range(1, 9))), ("a", [100]))
    assert (large, small) == ([2 * item for item in range(1, 9)], [200])
    assert 100 in worker.batches[1][1]
    assert all(len(items) <= 4 for _, items in worker.batches)


def test_kinds_of_work_take_turns():
    worker = Worker()
    together(worker, 2, 99, ("a", list(range(1, 9))), ("b", [1, 2]))
    kinds = [kind for kind, _ in worker.batches]
    assert kinds.index("b") <= 2
    assert kinds.count("a") == 5


def test_a_failure_is_the_answer_of_those_in_its_batch_alone():
    worker = Worker()
    failed, fine = together(worker, 4, 99, ("a", [13, 1, 2, 3, 4, 5]), ("b", [7]))
    assert isinstance(failed, RuntimeError)
    assert fine == [14]


def test_beyond_what_may_wait_a_request_is_refused_unless_nothing_waits():
    worker = Worker()
    large, refused = together(worker, 4, 5, ("a", list(range(20, 40))), ("a", [1]))
    assert large == [2 * item for item in range(20, 40)]
    assert isinstance(refused, TooBusyError)


def test_what_waits_is_computed_before_the_end_and_nothing_is_taken_after_it():
    worker = Worker()

    async def stopped() -> tuple[list[int], list[int]]:
        batcher = Batcher(worker, 4, 99)
        batcher.start()
        first = asyncio.create_task(batcher.submit("a", [1]))
        await asyncio.to_thread(worker.begun.wait, 30)
        second = asyncio.create_task(batcher.submit("a", [2]))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(asyncio.to_thread(batcher.stop))
        while not batcher._stopping:
            await asyncio.sleep(0.001)
        with pytest.raises(StoppingError):
            await batcher.submit("a", [3])
        worker.go.set()
        await stopping
        return await first, await second

    assert asyncio.run(stopped()) == ([2], [4])


def test_clients_that_ask_again_at_once_are_computed_together(monkeypatch):
    monkeypatch.setattr(batching, "_FOR_COMPANY", 100.0)  # however busy this machine is
    sizes: list[int] = []

    def work(kind: Any, items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        time.sleep(0.01)
        return list(items)

    async def client(batcher: Batcher, number: int) -> None:
        for _ in range(6):
            assert await batcher.submit("a", [number]) == [number]

    async def all_of_them() -> None:
        batcher = Batcher(work, 8, 99)
        batcher.start()
        await asyncio.gather(*(client(batcher, number) for number in range(4)))
        await asyncio.to_thread(batcher.stop)

    asyncio.run(asyncio.wait_for(all_of_them(), 60))
    assert sum(sizes) == 24
    assert sizes.count(4) >= 5, sizes


def test_a_client_that_is_alone_waits_for_nobody(monkeypatch):
    monkeypatch.setattr(batching, "_FOR_COMPANY", 400.0)

    async def alone() -> None:
        batcher = Batcher(lambda kind, items: (time.sleep(0.05), list(items))[1], 8, 99)
        batcher.start()
        for number in range(5):
            assert await batcher.submit("a", [number]) == [number]
        await asyncio.to_thread(batcher.stop)

    started = time.monotonic()
    asyncio.run(alone())
    assert time.monotonic() - started < 15  # one wait for company would be 20 seconds

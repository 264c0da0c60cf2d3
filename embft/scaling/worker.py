"""A worker that finds its shards itself: a job of an array, which nobody deals any out to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embft.heartbeat import Heartbeat
from embft.scaling.shard import do_shard
from embft.scaling.work import claim_of, read_work, result_of

logger = logging.getLogger(__name__)

_ROUNDS = 2
"""How often it looks at all shards: the second time for those whose workers died."""


def work_on(folder: str, numbers: list[int], first: int, dead_after: float) -> int:
    """Does shards until all are done or under way elsewhere; returns how many it did.

    Each worker begins at another place and claims a shard before it does it. Two workers at one shard would do no harm, but for
    the time.

    Args:
        folder: Of the work.
        numbers: The shards that are wanted.
        first: Where in ``numbers`` it begins.
        dead_after: Seconds without a sign of life after which a claim counts for nothing.
    """
    place, done = Path(folder), 0
    read_work(place)  # says so at once where the folder is not to be seen from here
    for _ in range(_ROUNDS):
        for number in [*numbers[first:], *numbers[:first]]:
            with _claimed(place, number, dead_after) as mine:
                if mine:
                    do_shard(folder, number)
                    done += 1
    return done


@contextmanager
def _claimed(folder: Path, number: int, dead_after: float) -> Iterator[bool]:
    if result_of(folder, number).exists():
        yield False
        return
    claim = Heartbeat(claim_of(folder, number), dead_after)
    if not claim.take():
        yield False
        return
    try:
        yield True
    finally:
        claim.release()

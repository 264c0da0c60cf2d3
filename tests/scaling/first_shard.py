"""The moment at which other machines are at work: one has given a shard, and is at the next already."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from embft.scaling.work import read_result

LIMIT = 600
"""Seconds, on a busy machine."""


def who_gave_a_shard(folder: Path, among: Callable[[], Iterable[int]] | None = None) -> int:
    """Waits until a shard is there; returns the number of the process that gave it.

    Args:
        folder: Of all works.
        among: Numbers of processes, one of which must have given it; None: any.
    """
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        wanted = None if among is None else set(among())
        for path in folder.glob("*/result-*"):
            result = read_result(path)
            if result is not None and (wanted is None or int(result.facts["process"]) in wanted):
                return int(result.facts["process"])
        time.sleep(0.01)
    raise AssertionError(f"nobody gave a shard in {LIMIT} s")

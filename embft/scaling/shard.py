"""The shard function: the one thing that every worker does, whoever sent it and whatever kind of work it is."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from embft.errors import ScaleError
from embft.scaling.kinds import KINDS, kind_named
from embft.scaling.work import Work, given_of, read_given, read_result, read_work, result_of, write_result
from embft.source_code import code_of


def do_shard(folder: str, number: int) -> None:
    """Does one shard of a piece of work: reads what it gets, writes what it gives.

    Nothing is done where a whole result is there, so it may be called again, by anybody, at any time. A result is written in
    one step: a worker that is killed leaves none.

    Args:
        folder: Of the work (`embft.scaling.work`).
        number: Of the shard.

    Raises:
        ScaleError: The folder is not to be seen from here, or this machine has another embft.
    """
    place = Path(folder)
    work = read_work(place)
    given, target = work.digests[number], result_of(place, number)
    if read_result(target, given) is not None:
        return
    _check_code(work)
    kind, items = kind_named(work.kind), read_given(given_of(place, number), given)
    started = time.perf_counter()
    content = kind.do(place, work.settings, items)
    seconds = f"{time.perf_counter() - started:.3f}"
    who = {"host": platform.node(), "process": str(os.getpid()), "seconds": seconds}
    write_result(target, content, given, {**who, **versions(tuple(kind.libraries))})


@cache
def versions(libraries: Sequence[str]) -> dict[str, str]:
    """Distribution to version, of those that are installed."""
    there = {}
    for name in libraries:
        try:
            there[name] = version(name)
        except PackageNotFoundError:
            continue
    return there


@cache
def own_code() -> str:
    """Digest of the code that does a shard, of any kind."""
    return code_of(__name__).digest


def _check_code(work: Work) -> None:
    if work.code != own_code() or work.kind not in KINDS:
        raise ScaleError(
            f"embft on {platform.node()} is another one than that of the machine that started the run, so their results may "
            "differ: install the same version, or the same checkout, on all nodes."
        )

"""A driver whose only machine is this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embft.scaling.fleet import Fleet
from embft.scaling.kinds import Cut
from embft.scaling.shard import do_shard


@dataclass
class ThisProcess:
    """It may die on the way."""

    dies_after: int = 10**9
    done: list[int] = field(default_factory=list)

    def check(self) -> None:
        pass

    def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
        for number in numbers:
            if len(self.done) == self.dies_after:
                raise KeyboardInterrupt
            do_shard(str(folder), number)
            self.done.append(number)
            yield number


def fleet_of(
    tmp_path: Path,
    driver: ThisProcess,
    texts: Cut | None = None,
    requests: Cut | None = None,
    scores: Cut | None = None,
) -> Fleet:
    """A fleet of this process; what no cut is given for stays here."""
    nothing = Cut(1, 10**9)
    return Fleet(driver, tmp_path / "shards", texts or nothing, requests or nothing, scores or nothing)

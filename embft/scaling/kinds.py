"""The door to every kind of work that other machines do; one more is a line here, one file, and who asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from embft.scaling.work import Places

KINDS: dict[str, str] = {
    "embed": "embft.scaling.embedding:Embed",
    "write": "embft.scaling.writing:Write",
    "rank": "embft.ranking.shards:Rank",
}
"""Kind of work to its class. Only the chosen one is imported."""

Given = TypeVar("Given", covariant=True)


class Kind(Protocol):
    """A kind of work: what a node makes of a shard.

    Attributes:
        name: In `KINDS`.
        libraries: Distributions whose other versions give other results.
        differs: How: the end of a sentence.
        kept_to_the_end: Whether what shards gave stays until all are there: who asks has nowhere to keep it.
    """

    name: ClassVar[str]
    libraries: ClassVar[Sequence[str]]
    differs: ClassVar[str]
    kept_to_the_end: ClassVar[bool]

    def do(self, folder: Path, settings: Mapping[str, object], items: Sequence[object]) -> bytes:
        """Does a shard.

        Args:
            folder: Of the work.
            settings: As `Job.share` gave them.
            items: What the shard gets.

        Raises:
            ScaleError: What it takes is not whole as seen from this machine.
        """
        ...


@dataclass(frozen=True)
class Cut:
    """How work is cut.

    Attributes:
        size: Items in a shard.
        fewest: Items that are worth the trouble.
    """

    size: int
    fewest: int


class Job(Protocol[Given]):
    """Things that are wanted of other machines. Each has a place, a number from 0."""

    @property
    def kind(self) -> Kind:
        """What is to be done with them."""
        ...

    def missing(self) -> Places:
        """The places of those that are not there, in the order in which they are done. Looks again each time."""
        ...

    def items(self, places: Places) -> Sequence[object]:
        """What a node gets of some, each a JSON value."""
        ...

    def share(self, folder: Path) -> object:
        """Puts what a node needs besides into the folder of the work; returns the settings, a dataclass."""
        ...

    def read(self, content: bytes, places: Places) -> Given | None:
        """What a shard gave; None where it is no result of these."""
        ...


def kind_named(name: str) -> Kind:
    """The kind of that name."""
    module, _, kind = KINDS[name].partition(":")
    made: Kind = getattr(import_module(module), kind)()
    return made

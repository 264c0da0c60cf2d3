"""Other machines, as the cache of vectors sees them: who embeds what is missing, if it is not embedded here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from embft.models.text_encoder import TextEncoder
from embft.models.vectors import Vectors

Places = npt.NDArray[np.int64]

_SORTED = 1 << 15
"""Texts among which the longest come first: vectors of a large corpus lie close to its order, and are read in it."""


class Asked(Protocol):
    """Texts of which some have no vector yet."""

    def missing(self) -> Places:
        """The places of those without one, in the order in which one machine alone would embed them. Looks again each time."""
        ...

    def texts(self, places: Places) -> list[str]:
        """The texts of some places."""
        ...


class Elsewhere(Protocol):
    """Other machines with a model."""

    def takes(self, name: str, texts: int) -> bool:
        """Whether so many texts are worth asking them, or work of that name was begun."""
        ...

    def vectors(self, name: str, asked: Asked) -> Iterator[tuple[Places, Vectors]]:
        """Yields places and vectors, float32 [n, length], until none is missing; the next only when these are stored.

        Args:
            name: Of this work: the same for the same texts and the same model, whenever they are asked for.
            asked: The texts.
        """
        ...


class Machines(Protocol):
    """Other machines (`embft.scaling.fleet.Fleet`)."""

    def with_model(self, encoder: TextEncoder) -> Elsewhere | None:
        """These machines with a model; None where it is nothing for them."""
        ...


@dataclass(frozen=True)
class DistinctTexts:
    """See `Asked`.

    Attributes:
        every: Texts; some may stand there more than once.
        firsts: int64 [n]: where each different one stands first. A text's place is its place in this.
        find: Gives the row of each in the cache, -1 where it has none.
    """

    every: Sequence[str]
    firsts: Places
    find: Callable[[], Places]

    def missing(self) -> Places:
        """See `Asked`."""
        missing = np.flatnonzero(self.find() < 0)
        return np.concatenate([missing[:0], *map(self.longest_first, self.parts(missing))])

    def texts(self, places: Places) -> list[str]:
        """See `Asked`."""
        return [self.every[at] for at in self.firsts[places].tolist()]

    def parts(self, places: Places, least: int = 1) -> Iterator[Places]:
        """Places in their order, as many as are sorted at once; ``least`` at least."""
        size = max(_SORTED, least)
        return (places[start : start + size] for start in range(0, len(places), size))

    def longest_first(self, places: Places) -> Places:
        """Batches of like length waste no padding, and memory runs out at once or never."""
        lengths = np.array([len(self.every[at]) for at in self.firsts[places].tolist()])
        return places[np.argsort(-lengths, kind="stable")]

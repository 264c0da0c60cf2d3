"""Windows laid out position-first: the first windows of all chunks, then all second ones, so that MaxP is a plain maximum.

With a chunk's windows side by side, ``maximum.reduceat`` walks from chunk to chunk and takes longer than the product that
gave the scores. Here chunks stand in order of how many windows they have, most first; those with a second window are then
the first ones, and so on: each position is one stretch, and the maximum of stretches is worked out at the speed of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PositionFirst:
    """The layout of some chunks' windows.

    Attributes:
        counts: int64 [n_chunks]: windows of each chunk, one at least.
    """

    counts: Places

    @cached_property
    def order(self) -> Places:
        """int64 [n_chunks]: chunks, most windows first."""
        return np.argsort(-self.counts, kind="stable")

    @cached_property
    def ranks(self) -> Places:
        """int64 [n_chunks]: each chunk's place in `order`."""
        ranks = np.empty(len(self.counts), np.int64)
        ranks[self.order] = np.arange(len(self.counts))
        return ranks

    @cached_property
    def firsts(self) -> Places:
        """int64 [most windows + 1]: the row at which each position begins, and the number of rows."""
        longest = int(self.counts.max(initial=0))
        with_position = np.cumsum(np.bincount(self.counts, minlength=longest + 1)[::-1])[::-1][1:]
        return np.concatenate([[0], np.cumsum(with_position)]).astype(np.int64)

    @property
    def n_windows(self) -> int:
        """Rows."""
        return int(self.firsts[-1])

    def rows(self, chunks: Places, positions: Places) -> Places:
        """int64: rows of windows, given their chunks and their positions in them."""
        return self.firsts[positions] + self.ranks[chunks]

    def sources(self) -> Places:
        """int64 [n_windows]: for each row, where its window stands when a chunk's windows are side by side."""
        starts = np.cumsum(self.counts) - self.counts
        parts = [
            starts[self.order[: end - first]] + position
            for position, (first, end) in enumerate(zip(self.firsts[:-1], self.firsts[1:], strict=True))
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def best(self, scores: Scores) -> Scores:
        """Each chunk's best window; float32 [n, n_windows] to [n, n_chunks]. The first columns of ``scores`` are overwritten."""
        best = scores[:, : len(self.counts)]
        if len(self.firsts) <= 2:
            return best
        for first, end in zip(self.firsts[1:-1], self.firsts[2:], strict=True):
            np.maximum(best[:, : end - first], scores[:, first:end], out=best[:, : end - first])
        return np.take(best, self.ranks, axis=1)

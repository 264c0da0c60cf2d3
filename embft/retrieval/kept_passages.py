"""The last corpora that were cut into windows: dev, test and the tuned model search the same windows, which are cut once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from embft.embedded_text import IndexedCorpus
from embft.records import Passages

_KEPT = 2
"""The corpora of dev and of test."""


@dataclass(frozen=True)
class _Cut:
    corpus: IndexedCorpus
    by: tuple[object, ...]
    passages: Passages


class KeptPassages:
    """Passages by what they were cut from and how."""

    def __init__(self) -> None:
        self._cuts: list[_Cut] = []

    def get(self, corpus: IndexedCorpus, by: tuple[object, ...], cut: Callable[[], Passages]) -> Passages:
        """What ``cut`` returns, or returned for the same corpus: places in it are those of this one.

        Args:
            corpus: The chunks.
            by: All that decides the windows besides: lengths, and what a token is.
            cut: Cuts them.
        """
        for one in self._cuts:
            if one.by == by and one.corpus.same_in_order(corpus):
                return one.passages
        passages = cut()
        self._cuts = [_Cut(corpus, by, passages), *self._cuts][:_KEPT]
        return passages

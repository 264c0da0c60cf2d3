"""Where the words that are asked for stand: inverted lists of a corpus for some questions, built a block of texts at a time.

A comparison knows its questions, so only the lists of their terms are kept, a tenth of an index or less. Texts are counted
in shards, so that a question's scores of one shard fit into the processor's cache; the lists of a large corpus lie in a file,
and those of one shard at a time are read from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.retrieval.asked_terms import Numbered, pairs_in
from embft.retrieval.best_windows import PositionFirst
from embft.scratch import Arrays, Scratch

Places = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

SHARD = 1 << 13
"""Chunks of a shard."""


@dataclass(frozen=True)
class _Block:
    """How often asked terms stand in the texts of a block; sorted by term, then by text.

    Attributes:
        terms: int32 [n_postings].
        texts: int32 [n_postings], counted within the shard.
        counts: float32 [n_postings].
    """

    terms: npt.NDArray[np.int32]
    texts: npt.NDArray[np.int32]
    counts: Scores


@dataclass(frozen=True)
class Lists:
    """The inverted lists of a stretch of texts.

    Attributes:
        starts: int64 [n_asked + 1]: where each term's list begins.
        texts: int32 [n_postings], counted within the shard.
        scores: float32 [n_postings]: what the term adds to the text's score; before that is known, how often it stands there.
    """

    starts: Places
    texts: npt.NDArray[np.int32]
    scores: Scores

    def add(self, row: Scores, asked: Sequence[int]) -> None:
        """Adds the scores of some terms, in their order, each as often as it is asked for; float32 [n_texts]."""
        for term in asked:
            first, end = self.starts[term], self.starts[term + 1]
            np.add.at(row, self.texts[first:end], self.scores[first:end])


@dataclass(frozen=True)
class Shard:
    """A stretch of texts and its inverted lists, in memory or in a file.

    Attributes:
        size: Number of texts.
        kept: Of `Lists`, in the order of its attributes.
    """

    size: int
    kept: Arrays

    def lists(self) -> Lists:
        """The lists; let go of them before those of another shard are asked for, and memory stays flat."""
        return Lists(*self.kept.open())


class Counting:
    """Counts asked terms in texts, shard by shard, then gives each posting its score by BM25 (Lucene's, as bm25s has it).

    Args:
        asked: Number of terms that are asked for.
        scratch: Where the lists go that are too many for memory.
    """

    def __init__(self, asked: int, scratch: Scratch) -> None:
        self._asked = asked
        self._scratch = scratch
        self._blocks: list[_Block] = []
        self._shards: list[Shard] = []
        self._lengths: list[Places] = []
        self._frequency = np.zeros(asked, np.int64)

    def add(self, terms: npt.NDArray[np.integer[Any]], texts: Places) -> None:
        """Takes asked terms in texts, numbered within the shard; a term of a text stands once for each time it occurs."""
        room = int(texts.max(initial=0)) + 1
        keys, counts = np.unique(terms.astype(np.int64) * room + texts, return_counts=True)
        self._blocks.append(
            _Block((keys // room).astype(np.int32), (keys % room).astype(np.int32), counts.astype(np.float32))
        )

    def end_shard(self, lengths: Places) -> None:
        """Sorts what came since the last shard by term; ``lengths`` are those of its texts, int64 [n_texts]."""
        terms = np.concatenate([np.zeros(0, np.int32), *(block.terms for block in self._blocks)])
        order = np.argsort(terms, kind="stable")
        own = np.bincount(terms, minlength=self._asked)
        self._frequency += own
        texts = np.concatenate([np.zeros(0, np.int32), *(block.texts for block in self._blocks)])[order]
        counts = np.concatenate([np.zeros(0, np.float32), *(block.counts for block in self._blocks)])[order]
        starts = np.concatenate([[0], np.cumsum(own)])
        self._shards.append(Shard(len(lengths), self._scratch.keep(starts, texts, counts)))
        self._lengths.append(lengths)
        self._blocks = []

    def scored(self, k1: float, b: float) -> list[Shard]:
        """The shards, whose lists have scores now."""
        number = sum(shard.size for shard in self._shards)
        mean = np.float64(sum(int(lengths.sum()) for lengths in self._lengths)) / max(number, 1) or np.float64(1)
        weights = np.array(
            [
                math.log(1 + (number - count + 0.5) / (count + 0.5)) if count else 0
                for count in self._frequency.tolist()
            ],
            np.float32,
        )
        for shard, lengths in zip(self._shards, self._lengths, strict=True):
            saturation = k1 * ((1 - b) + b * lengths / mean)
            lists = Lists(*shard.kept.open(to_change=True))
            every = np.repeat(weights, np.diff(lists.starts))
            for first in range(0, len(lists.texts), 1 << 20):  # a stretch at a time: memory stays flat
                part = slice(first, first + (1 << 20))
                often = lists.scores[part].astype(np.float64)
                lists.scores[part] = every[part] * (often / (saturation[lists.texts[part]] + often))
        return self._shards


def windows_in(lengths: Places, size: int) -> Places:
    """How many windows of ``size`` terms each text is cut into; see `embft.retrieval.bm25.windows_of`. int64 [n_texts]."""
    last = np.maximum(lengths - size, 0)
    return -(-last // max(size // 2, 1)) + 1


def in_windows(block: Numbered, layout: PositionFirst, first: int, size: int) -> tuple[npt.NDArray[np.int32], Places]:
    """Asked terms of a block in each window that holds them.

    Args:
        block: Its terms.
        layout: Of the shard's windows.
        first: Number of the block's first text in the shard.
        size: Terms of a window.

    Returns:
        int32 terms and int64 rows of windows, once for each time a term stands in a window.
    """
    here = block.terms >= 0
    terms, texts, places = (
        block.terms[here],
        block.owners[here],
        block.positions[here] - block.contexts[block.owners[here]],
    )
    number = windows_in(block.lengths - block.contexts, size)
    of_context = places < 0  # in every window of its chunk
    copies = number[texts[of_context]]
    windows = np.arange(int(copies.sum())) - np.repeat(np.cumsum(copies) - copies, copies)
    every_term = [np.repeat(terms[of_context], copies)]
    every_row = [layout.rows(np.repeat(texts[of_context], copies) + first, windows)]
    terms, texts, places = terms[~of_context], texts[~of_context], places[~of_context]
    step = max(size // 2, 1)
    last = np.maximum(block.lengths - block.contexts - size, 0)[texts]
    for back in range(-(-size // step)):
        window = places // step - back
        holds = (window >= 0) & (window < number[texts] - 1) & (window * step + size > places)
        every_term.append(terms[holds])
        every_row.append(layout.rows(texts[holds] + first, window[holds]))
    holds = places >= last
    every_term.append(terms[holds])
    every_row.append(layout.rows(texts[holds] + first, number[texts[holds]] - 1))
    return np.concatenate(every_term), np.concatenate(every_row)


def window_lengths(lengths: Places, contexts: Places, layout: PositionFirst, size: int) -> Places:
    """int64 [n_windows], by row: ``size`` terms or all of a shorter text's own, and the context's.

    Args:
        lengths: int64 [n_texts]: terms of the texts with their contexts.
        contexts: int64 [n_texts]: of the contexts.
        layout: Of the windows.
        size: Terms of a window.
    """
    each = np.minimum(lengths - contexts, size) + contexts
    return np.concatenate([each[layout.order[: end - first]] for first, end in pairwise(layout.firsts.tolist())])


def in_pairs(block: Numbered, pairs: Places) -> tuple[Places, Places]:
    """Asked pairs of neighbouring terms in a block.

    Args:
        block: Its terms.
        pairs: int64: keys of a `Vocabulary`.

    Returns:
        int64 pairs and int64 texts of the block, once for each time a pair stands in a text.
    """
    keys, owners = pairs_in(block)
    if not len(pairs):
        return keys[:0], owners[:0]
    places = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
    known = pairs[places] == keys
    return places[known], owners[known]

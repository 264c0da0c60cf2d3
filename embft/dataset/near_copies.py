"""Texts that say the same in nearly the same words: found by the shingles that they share.

A text is the set of its runs of words (w-shingling: Broder, "On the resemblance and containment of documents", 1997).
Counts of shared shingles for all pairs at once are one sparse matrix product, so 100,000 chunks take seconds, not the
hours of a loop over pairs.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.text.terms import plain_words

_COMMON = 200
"""A shingle in more texts than this is a phrase of the house, not a sign of a copy."""
_PART = 1 << 22
"""Shingles compared at once; more are cut in parts by their hashes, so that memory stays flat."""
_ROWS = 2_000
"""Texts multiplied at once, so that memory stays flat."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2 to the 64th by the golden ratio (Knuth, "The Art of Computer Programming", volume 3, section 6.4): its products spread."""


@dataclass(frozen=True)
class Copy:
    """A pair of near-copies.

    Attributes:
        left, right: Keys of the texts.
        similarity: Share of shingles in common: of both texts' (Jaccard), 1 for equal words.
    """

    left: str
    right: str
    similarity: float


@dataclass(frozen=True)
class _Worded:
    """Texts as numbers of their words: equal texts once, and none without a word.

    Attributes:
        groups: A hash of the words to the keys of the texts that have them, in the order of the texts below.
        words: uint32, the numbers of all texts, one text after the other.
        ends: int64, where each text ends among them.
    """

    groups: Mapping[bytes, Sequence[str]]
    words: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.int64]


def near_copies(
    left: Mapping[str, str],
    right: Mapping[str, str] | None = None,
    *,
    similarity: float,
    run: int = 3,
    fewest: int = 12,
) -> list[Copy]:
    """Pairs of texts that are nearly the same, most alike first.

    Args:
        left: Key to text.
        right: Key to text; None looks for pairs within ``left``, each once.
        similarity: Least Jaccard similarity of the shingle sets.
        run: Words in a shingle.
        fewest: Shorter texts, in shingles, are only compared as a whole: short texts share their phrases by chance.
    """
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    one = _worded(left, numbers)
    other = one if right is None else _worded(right, numbers)
    copies = [
        Copy(a, b, 1.0)
        for name in sorted(one.groups.keys() & other.groups.keys())
        for a, b in _pairs(one.groups[name], other.groups[name], within=right is None)
    ]
    # One text stands for all that are equal to it, or hundreds of copies would make their shingles look common.
    matrix, sizes = _incidence([one] if right is None else [one, other], run, fewest)
    cut = 0 if right is None else len(one.groups)
    rows, columns, sizes_right = matrix[: len(one.groups)], matrix[cut:].T.tocsr(), sizes[cut:]
    names, names_right = list(one.groups), list(other.groups)
    for start in range(0, rows.shape[0], _ROWS):
        shared = (rows[start : start + _ROWS] @ columns).tocoo()
        at, to = shared.row + start, shared.col
        jaccard = shared.data / (sizes[at] + sizes_right[to] - shared.data)
        close = jaccard >= similarity
        if right is None:
            close &= at < to
        for i, j, value in zip(at[close], to[close], jaccard[close], strict=True):
            a, b = one.groups[names[i]], other.groups[names_right[j]]
            if right is None:
                copies.append(Copy(a[0], b[0], float(value)))
            elif names[i] != names_right[j]:
                copies += [Copy(mine, yours, float(value)) for mine, yours in _pairs(a, b, within=False)]
    return sorted(copies, key=lambda pair: (-pair.similarity, pair.left, pair.right))


def _worded(texts: Mapping[str, str], numbers: Mapping[str, int]) -> _Worded:
    """The texts in words.

    Args:
        numbers: Of each word; gives a new word the next number.
    """
    groups: dict[bytes, list[str]] = {}
    words, ends = array("I"), array("q")
    for key, text in texts.items():
        own = array("I", map(numbers.__getitem__, plain_words(text)))
        if not own:
            continue
        name = hashlib.blake2b(own.tobytes(), digest_size=16).digest()
        if name not in groups:
            groups[name] = []
            words.extend(own)
            ends.append(len(words))
        groups[name].append(key)
    return _Worded(groups, np.frombuffer(words, np.uint32), np.frombuffer(ends, np.int64))


def _pairs(left: Sequence[str], right: Sequence[str], *, within: bool) -> list[tuple[str, str]]:
    if within:
        return [(left[0], other) for other in left[1:]]
    return [(a, b) for a in left for b in right]


def _incidence(sides: Sequence[_Worded], run: int, fewest: int) -> tuple[Any, Any]:
    """A sparse matrix, texts by shared shingles, with a 1 where a text has the shingle; and int64 sizes of the texts."""
    from scipy.sparse import csr_matrix

    parts_of_all = [part for side in sides for part in _shingles(side, run, fewest)]
    every = np.concatenate([np.zeros(0, np.uint32), *(hashes for hashes, _ in parts_of_all)])
    ends = np.concatenate([np.zeros(0, np.int64), *(counts for _, counts in parts_of_all)]).cumsum()
    sizes = np.zeros(len(ends), np.int64)
    rows, columns, width = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)], 0
    parts = 1 + len(every) // _PART
    for part in range(parts):
        here = np.flatnonzero(every % parts == part) if parts > 1 else np.arange(len(every))
        _, numbers, frequency = np.unique(every[here], return_inverse=True, return_counts=True)
        usual = (frequency <= _COMMON)[numbers]
        owner = np.searchsorted(ends, here, side="right").astype(np.int32)
        sizes += np.bincount(owner[usual], minlength=len(sizes))
        # What one text alone has is in no pair, and is most of all shingles.
        shared = usual & (frequency > 1)[numbers]
        rows.append(owner[shared])
        columns.append(numbers[shared] + width)
        width += len(frequency)
    ones = np.ones(sum(map(len, rows)), np.float32)
    return csr_matrix((ones, (np.concatenate(rows), np.concatenate(columns))), shape=(len(ends), width)), sizes


def _shingles(side: _Worded, run: int, fewest: int) -> Iterator[tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]]:
    """For some texts after the other: hashes of their distinct runs of words, and how many each text has.

    Args:
        side: The texts.
        run: Words in a shingle.
        fewest: A text with fewer shingles has none.
    """
    ends = side.ends
    starts = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
    first = 0
    while first < len(ends):
        last = max(first + 1, int(np.searchsorted(ends, starts[first] + _PART, side="right")))
        words, own_ends = side.words[starts[first] : ends[last - 1]], ends[first:last] - starts[first]
        places = np.arange(max(0, len(words) - run + 1))
        owner = np.searchsorted(own_ends, places, side="right")
        within = places + run <= own_ends[owner]
        places, owner = places[within], owner[within]
        hashes = np.zeros(len(places), np.uint64)
        for offset in range(run):
            hashes = (hashes + words[places + offset]) * _FACTOR
            hashes ^= hashes >> np.uint64(32)
        # The text in the upper half, so that a sort keeps each text's own together; numpy's unique hashes, ten times slower.
        pairs = owner.astype(np.uint64) << np.uint64(32) | hashes & np.uint64(0xFFFFFFFF)
        pairs.sort()
        pairs = pairs[np.concatenate([np.ones(min(1, len(pairs)), bool), pairs[1:] != pairs[:-1]])]
        owner, found = (pairs >> np.uint64(32)).astype(np.int64), pairs.astype(np.uint32)
        counts = np.bincount(owner, minlength=last - first)
        enough = counts >= fewest
        yield found[enough[owner]], np.where(enough, counts, 0)
        first = last

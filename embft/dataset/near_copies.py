"""Texts that say the same in nearly the same words: found by the shingles that they share.

A text is the set of its runs of words (w-shingling: Broder, "On the resemblance and containment of documents", 1997).
Counts of shared shingles for all pairs at once are one sparse matrix product, so 100,000 chunks take seconds, not the
hours of a loop over pairs.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.progress import each
from embft.scratch import Arrays, Scratch
from embft.text.terms import plain_words

_COMMON = 200
"""A shingle in more texts than this is a phrase of the house, not a sign of a copy."""
_PART = 1 << 22
"""Shingles compared at once; more are cut in parts by their hashes, so that memory stays flat."""
_WORDS = 1 << 20
"""Words cut into shingles at once."""
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
class _Shingled:
    """Texts as sets of shingles: equal texts once, and none without a word.

    Attributes:
        names: A hash of each text's words, in the order of the texts in ``parts``, to the first key that has them.
        copies: The same hash to all keys that have them, where there are several.
        parts: For some texts after the other, uint32 hashes of their shingles and int64, how many each text has.
    """

    names: Mapping[bytes, str]
    copies: Mapping[bytes, Sequence[str]]
    parts: Sequence[Arrays]

    def keys(self, name: bytes) -> Sequence[str]:
        """All keys of a text's words."""
        return self.copies.get(name) or (self.names[name],)


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
    shingler = _Shingler(run, fewest)
    one = shingler.of(left)
    other = one if right is None else shingler.of(right)
    equal = one.copies.keys() if right is None else one.names.keys() & other.names.keys()
    copies = [
        Copy(a, b, 1.0)
        for name in sorted(equal)
        for a, b in _pairs(one.keys(name), other.keys(name), within=right is None)
    ]
    # One text stands for all that are equal to it, or hundreds of copies would make their shingles look common.
    matrix, sizes = _incidence([one] if right is None else [one, other])
    cut = 0 if right is None else len(one.names)
    rows, columns, sizes_right = matrix[: len(one.names)], matrix[cut:].T.tocsr(), sizes[cut:]
    names, names_right = list(one.names), list(other.names)
    for start in each(range(0, rows.shape[0], _ROWS), "comparing texts", "blocks"):
        shared = (rows[start : start + _ROWS] @ columns).tocoo()
        at, to = shared.row + start, shared.col
        jaccard = shared.data / (sizes[at] + sizes_right[to] - shared.data)
        close = jaccard >= similarity
        if right is None:
            close &= at < to
        for i, j, value in zip(at[close], to[close], jaccard[close], strict=True):
            a, b = one.keys(names[i]), other.keys(names_right[j])
            if right is None:
                copies.append(Copy(a[0], b[0], float(value)))
            elif names[i] != names_right[j]:
                copies += [Copy(mine, yours, float(value)) for mine, yours in _pairs(a, b, within=False)]
    return sorted(copies, key=lambda pair: (-pair.similarity, pair.left, pair.right))


def _pairs(left: Sequence[str], right: Sequence[str], *, within: bool) -> list[tuple[str, str]]:
    if within:
        return [(left[0], other) for other in left[1:]]
    return [(a, b) for a in left for b in right]


def _incidence(sides: Sequence[_Shingled]) -> tuple[Any, Any]:
    """A sparse matrix, texts by shared shingles, with a 1 where a text has the shingle; and int64 sizes of the texts."""
    from scipy.sparse import csr_matrix

    opened = [part for side in sides for part in side.parts]
    counts = [part.open()[1] for part in opened]
    number = sum(int(own.sum()) for own in counts)
    sizes = np.zeros(sum(map(len, counts)), np.int64)
    rows, columns, width = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)], 0
    parts = 1 + number // _PART
    for part in each(range(parts), "counting shared words", "parts"):
        pairs = _with_rest(opened, part, parts)
        pairs.sort()  # numpy's unique of the hashes alone, with its inverse, takes three times as long
        hashes, owners = (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)
        firsts = np.flatnonzero(np.concatenate([np.ones(min(1, len(pairs)), bool), hashes[1:] != hashes[:-1]]))
        frequency = np.diff(firsts, append=len(pairs))
        usual = frequency <= _COMMON
        sizes += np.bincount(owners[np.repeat(usual, frequency)], minlength=len(sizes))
        # What one text alone has is in no pair, and is most of all shingles.
        kept = usual & (frequency > 1)
        rows.append(owners[np.repeat(kept, frequency)].astype(np.int32))
        columns.append(np.repeat(np.arange(width, width + int(kept.sum())), frequency[kept]))
        width += int(kept.sum())
    ones = np.ones(sum(map(len, rows)), np.float32)
    return csr_matrix((ones, (np.concatenate(rows), np.concatenate(columns))), shape=(len(sizes), width)), sizes


def _with_rest(parts: Sequence[Arrays], rest: int, by: int) -> npt.NDArray[np.uint64]:
    """The shingles whose hashes have a rest when divided: each hash in the upper half, the number of its text in the lower."""
    every, first = [np.zeros(0, np.uint64)], 0
    for part in parts:
        hashes, counts = part.open()
        here = np.flatnonzero(hashes % by == rest) if by > 1 else np.arange(len(hashes))
        owners = np.searchsorted(counts.cumsum(), here, side="right") + first
        every.append(hashes[here].astype(np.uint64) << np.uint64(32) | owners.astype(np.uint64))
        first += len(counts)
    return np.concatenate(every)


class _Shingler:
    """Cuts texts into runs of words.

    Args:
        run: Words in a shingle.
        fewest: A text with fewer shingles has none.
    """

    def __init__(self, run: int, fewest: int) -> None:
        self._run, self._fewest = run, fewest
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)
        self._scratch = Scratch()

    def of(self, texts: Mapping[str, str]) -> _Shingled:
        """The shingles of texts."""
        names: dict[bytes, str] = {}
        copies: dict[bytes, list[str]] = {}
        parts: list[Arrays] = []
        words, ends = array("I"), array("q")
        for key, text in each(texts.items(), "looking for copies", "texts"):
            own = array("I", map(self._numbers.__getitem__, plain_words(text)))
            if not own:
                continue
            name = hashlib.blake2b(own.tobytes(), digest_size=16).digest()
            if name in names:
                copies.setdefault(name, [names[name]]).append(key)
                continue
            names[name] = key
            words.extend(own)
            ends.append(len(words))
            if len(words) >= _WORDS:
                parts.append(self._part(words, ends))
                words, ends = array("I"), array("q")
        parts.append(self._part(words, ends))
        return _Shingled(names, copies, parts)

    def _part(self, numbers: array[int], text_ends: array[int]) -> Arrays:
        """Of texts given as the numbers of their words, one after the other, and where each ends."""
        words, ends = np.frombuffer(numbers, np.uint32), np.frombuffer(text_ends, np.int64)
        places = np.arange(max(0, len(words) - self._run + 1))
        owner = np.searchsorted(ends, places, side="right")
        within = places + self._run <= ends[owner]
        places, owner = places[within], owner[within]
        hashes = np.zeros(len(places), np.uint64)
        for offset in range(self._run):
            hashes = (hashes + words[places + offset]) * _FACTOR
            hashes ^= hashes >> np.uint64(32)
        # The text in the upper half, so that a sort keeps each text's own together; numpy's unique hashes, ten times slower.
        pairs = owner.astype(np.uint64) << np.uint64(32) | hashes & np.uint64(0xFFFFFFFF)
        pairs.sort()
        pairs = pairs[np.concatenate([np.ones(min(1, len(pairs)), bool), pairs[1:] != pairs[:-1]])]
        owner, found = (pairs >> np.uint64(32)).astype(np.int64), pairs.astype(np.uint32)
        counts = np.bincount(owner, minlength=len(ends))
        enough = counts >= self._fewest
        return self._scratch.keep(found[enough[owner]], np.where(enough, counts, 0))

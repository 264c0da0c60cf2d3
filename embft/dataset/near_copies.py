"""Texts that say the same in nearly the same words: found by the shingles that they share.

A text is the set of its runs of words (w-shingling: Broder, "On the resemblance and containment of documents", 1997).
Counts of shared shingles for all pairs at once are one sparse matrix product, so 100,000 chunks take seconds, not the
hours of a loop over pairs.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embft.text.terms import plain_words

_COMMON = 200
"""A shingle in more texts than this is a phrase of the house, not a sign of a copy."""
_PART = 1 << 22
"""Shingles compared at once; more are cut in parts by their hashes, so that memory stays flat."""
_ROWS = 2_000
"""Texts multiplied at once, so that memory stays flat."""


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
    others = left if right is None else right
    groups_left, groups_right = _equal(left), _equal(others)
    copies = [
        Copy(a, b, 1.0)
        for key in sorted(groups_left.keys() & groups_right.keys())
        for a, b in _pairs(groups_left[key], groups_right[key], within=right is None)
    ]
    # One text stands for all that are equal to it, or hundreds of copies would make their shingles look common.
    alike_left, alike_right = list(groups_left.values()), list(groups_right.values())
    texts = [left[keys[0]] for keys in alike_left]
    texts += [] if right is None else [right[keys[0]] for keys in alike_right]
    matrix, sizes = _incidence(texts, run, fewest)
    cut = 0 if right is None else len(alike_left)
    rows, columns, sizes_right = matrix[: len(alike_left)], matrix[cut:].T.tocsr(), sizes[cut:]
    for start in range(0, rows.shape[0], _ROWS):
        shared = (rows[start : start + _ROWS] @ columns).tocoo()
        at, to = shared.row + start, shared.col
        jaccard = shared.data / (sizes[at] + sizes_right[to] - shared.data)
        close = jaccard >= similarity
        if right is None:
            close &= at < to
        for i, j, value in zip(at[close], to[close], jaccard[close], strict=True):
            a, b = alike_left[i], alike_right[j]
            if right is None:
                copies.append(Copy(a[0], b[0], float(value)))
            elif plain_words(left[a[0]]) != plain_words(right[b[0]]):
                copies += [Copy(one, other, float(value)) for one, other in _pairs(a, b, within=False)]
    return sorted(copies, key=lambda pair: (-pair.similarity, pair.left, pair.right))


def _equal(texts: Mapping[str, str]) -> dict[bytes, list[str]]:
    """Keys of texts by a hash of their words."""
    groups: dict[bytes, list[str]] = {}
    for key, text in texts.items():
        if words := plain_words(text):
            name = hashlib.blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=16).digest()
            groups.setdefault(name, []).append(key)
    return groups


def _pairs(left: Sequence[str], right: Sequence[str], *, within: bool) -> list[tuple[str, str]]:
    if within:
        return [(left[0], other) for other in left[1:]]
    return [(a, b) for a in left for b in right]


def _incidence(texts: Sequence[str], run: int, fewest: int) -> tuple[Any, Any]:
    """A sparse matrix, texts by shared shingles, with a 1 where a text has the shingle; and int64 sizes of the texts."""
    from scipy.sparse import csr_matrix

    collected, ends = array("I"), np.zeros(len(texts), np.int64)
    for place, text in enumerate(texts):
        shingles = _shingles(text, run)
        if len(shingles) >= fewest:
            collected.extend(shingles)
        ends[place] = len(collected)
    every = np.frombuffer(collected, np.uint32)
    sizes = np.zeros(len(texts), np.int64)
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
    return csr_matrix((ones, (np.concatenate(rows), np.concatenate(columns))), shape=(len(texts), width)), sizes


def _shingles(text: str, run: int) -> set[int]:
    """Hashes of the distinct runs of words."""
    words = plain_words(text)
    return {zlib.crc32(" ".join(words[at : at + run]).encode()) for at in range(len(words) - run + 1)}

"""Vectors out of an endpoint's answer: as many as there were texts, in their order, all numbers, all of one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.foreign_json import parse_json
from embft.services.vectors import usable_rows
from embft.services.words import read_words, words_of

Vectors = npt.NDArray[np.float32]

_NUMBERS = {int, float}


class UnusableVectorsError(Exception):
    """An answer that holds no usable vectors. The message ends a sentence that begins with the server."""


def read_vectors(content: bytes, count: int, secrets: Sequence[str] = ()) -> Vectors:
    """Returns float32 [count, dim], in the order of the texts.

    Args:
        content: The body of an answer with a good status.
        count: Texts that were sent, one at least.
        secrets: What must not be shown.

    Raises:
        UnusableVectorsError: It is no JSON, or its indexes are not 0 to count - 1, or a vector is not a flat list of finite
            numbers, or they differ in length.
    """
    try:
        body = parse_json(content)
    except ValueError:
        words = read_words(content[:65536], secrets)
        raise UnusableVectorsError(f"answered with something that is no JSON{words.quoted}") from None
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        words = words_of(body, secrets)
        message = f", but said{words.quoted}" if words.text and isinstance(body, dict) else ""
        raise UnusableVectorsError(f"answered without a list of vectors{message}")
    if len(rows) != count:
        raise UnusableVectorsError(f"gave {len(rows):,} vectors for {count:,} texts")
    placed: list[Any] = [None] * count
    for row in rows:
        place = row.get("index") if isinstance(row, dict) else None
        if type(place) is not int or not 0 <= place < count or placed[place] is not None:
            raise UnusableVectorsError(f"numbered its vectors otherwise than 0 to {count - 1}, each once")
        placed[place] = _numbers(row.get("embedding"))
    lengths = sorted({len(row) for row in placed})
    if len(lengths) > 1:
        raise UnusableVectorsError(
            f"gave vectors of different lengths ({lengths[0]} to {lengths[-1]} numbers) in one answer"
        )
    vectors = np.stack(placed)
    if not (usable := usable_rows(vectors)).all():
        raise UnusableVectorsError(
            f"gave {np.count_nonzero(~usable):,} of {count:,} vectors that point nowhere (numbers that are not finite, "
            "too large, or all 0)"
        )
    return vectors


def _numbers(value: Any) -> Vectors:
    if isinstance(value, str):
        raise UnusableVectorsError("gave a vector as text (base64?), although a list of numbers was asked for")
    if not isinstance(value, list) or not value:
        raise UnusableVectorsError("gave an empty vector, or none, for a text")
    if not set(map(type, value)) <= _NUMBERS:
        raise UnusableVectorsError("gave a vector that is not a flat list of numbers")
    try:
        with np.errstate(over="ignore"):
            return np.asarray(value, np.float64).astype(np.float32)
    except OverflowError:
        raise UnusableVectorsError("gave a vector with a number that is too large") from None

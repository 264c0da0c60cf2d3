"""Scores out of a rerank API's answer: one for each text, all numbers, whatever its form.

Cohere, Jina, vLLM: ``{"results": [{"index": 0, "relevance_score": 0.9}]}``. Voyage: the same under ``data``.
text-embeddings-inference: the bare list, with ``score``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.foreign_json import parse_json
from embft.services.body import JsonObject
from embft.services.words import read_words, words_of

Scores = npt.NDArray[np.float32]

_LISTS = ("results", "data")
_SCORES = ("relevance_score", "score")
_MOST_TOKENS = 100_000_000


class UnusableScoresError(Exception):
    """An answer that holds no usable scores. The message ends a sentence that begins with the server."""


class TooFewScoresError(UnusableScoresError):
    """Scores of the best texts alone: the server gives so many unless it is asked for more."""


@dataclass(frozen=True)
class RerankReply:
    """What an answer holds.

    Attributes:
        scores: float32 [n_texts], in the order of the texts.
        tokens: That it charges for; None where it does not say.
    """

    scores: Scores
    tokens: int | None


def read_scores(content: bytes, count: int, secrets: Sequence[str] = ()) -> RerankReply:
    """Reads an answer with a good status.

    Args:
        content: Its body.
        count: Texts that were sent, one at least.
        secrets: What must not be shown.

    Raises:
        UnusableScoresError: It is no JSON, or its indexes are not 0 to count - 1, each once, or a score is no finite number.
    """
    try:
        body = parse_json(content)
    except ValueError:
        words = read_words(content[:65536], secrets)
        raise UnusableScoresError(f"answered with something that is no JSON{words.quoted}") from None
    rows = body if isinstance(body, list) else None
    if isinstance(body, dict):
        rows = next((body[name] for name in _LISTS if isinstance(body.get(name), list)), None)
    if rows is None:
        words = words_of(body, secrets)
        message = f", but said{words.quoted}" if words.text and isinstance(body, dict) else ""
        raise UnusableScoresError(f"answered without a list of scores{message}")
    scores = np.full(count, np.nan, np.float64)
    for row in rows:
        place = row.get("index") if isinstance(row, dict) else None
        if type(place) is not int or not 0 <= place < count:
            shown = repr(place)[:20] if place is not None else "no index"
            raise UnusableScoresError(f"gave a score for {shown}, where texts are numbered from 0 to {count - 1}")
        if not math.isnan(scores[place]):
            raise UnusableScoresError(f"gave two scores for text {place}")
        scores[place] = _number(row, place)
    if missing := int(np.isnan(scores).sum()):
        raise TooFewScoresError(f"gave scores for {count - missing:,} of {count:,} texts")
    return RerankReply(scores.astype(np.float32), _tokens(body))


def _number(row: JsonObject, place: int) -> float:
    value = next((row[name] for name in _SCORES if name in row), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableScoresError(f"gave {type(value).__name__} in place of a score for text {place}")
    # An integer of a thousand digits is no float.
    if not (-1e30 < value < 1e30):
        raise UnusableScoresError(f"gave a score that is no finite number for text {place}")
    return float(value)


def _tokens(body: Any) -> int | None:
    """Jina and Voyage: ``usage.total_tokens``; Cohere: ``meta.billed_units`` or nothing."""
    usage = body.get("usage") if isinstance(body, dict) else None
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if type(total) is int and 0 < total < _MOST_TOKENS else None

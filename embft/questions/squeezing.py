"""Texts without what programs change when text is copied: white space, case, typography."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‛": "'", "`": "'", "–": "-", "—": "-"}
)


_UNSEEN = re.compile("[\u00ad\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
"""Soft hyphens, joiners, marks of direction, and the stroke that lengthens Arabic words: programs add and lose them."""


class SqueezedText:
    """A text without white space, case and typography, and the way back to its positions."""

    def __init__(self, text: str) -> None:
        letters: list[str] = []
        self.positions: list[int] = []
        for position, letter in enumerate(text):
            squeezed = _squeeze_letter(letter)
            letters.append(squeezed)
            self.positions.extend([position] * len(squeezed))
        self.text = "".join(letters)

    def spans(self, quote: str) -> Iterable[tuple[int, int]]:
        """Character spans in the text where the squeezed quote stands."""
        start = self.text.find(quote)
        while start >= 0:
            yield self.positions[start], self.positions[start + len(quote) - 1] + 1
            start = self.text.find(quote, start + 1)


def squeeze(text: str) -> str:
    """What quotes are compared by: no white space, lower case, plain quotation marks and dashes, NFKD.

    Letter by letter, as pages are indexed, and decomposed: a PDF may spell é as one character or as two.
    """
    return "".join(map(_squeeze_letter, text))


@cache
def _squeeze_letter(letter: str) -> str:
    # Quotation marks first: NFKD makes a space and an accent of some of them.
    decomposed = unicodedata.normalize("NFKD", letter.translate(_QUOTES))
    return _UNSEEN.sub("", "".join(decomposed.translate(_QUOTES).casefold().split()))

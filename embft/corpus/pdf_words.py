"""Where the words of a PDF page stand, as PDFium gives them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from ctypes import byref
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

# PDFium leaves out the line's end behind a hyphen that it takes for a broken word's, and sets a mark: a word ends there.
_WORD = re.compile(r"[^\s\ufffe\x02]+[\ufffe\x02]?|[\ufffe\x02]")
_SAMPLE = 12  # characters that are asked for their angle


@dataclass(frozen=True)
class Word:
    """A run of characters without a space, and its box in the direction of reading.

    Attributes:
        start, end: Span in the page's text.
        left, right: In points; text runs from left to right regardless of the page's rotation.
        bottom, top: In points; lines run from top to bottom.
    """

    start: int
    end: int
    left: float
    right: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        """Never zero: fonts drawn as pictures have boxes without height."""
        return max(self.top - self.bottom, 1.0)


@dataclass(frozen=True)
class Box:
    """A rectangle on the page, in points, turned as the words are."""

    left: float
    right: float
    bottom: float
    top: float


def quarter_turns(text_page: PdfTextPage, text: str) -> int:
    """Returns by how many quarters, clockwise, most of the page's text is turned."""
    import pypdfium2.raw as pdfium

    index = _indices(text_page, text)
    starts = [match.start() for match in _WORD.finditer(text)]
    angles = (
        pdfium.FPDFText_GetCharAngle(text_page.raw, index(start)) for start in starts[:: max(1, len(starts) // _SAMPLE)]
    )
    turns = Counter(round(angle / (math.pi / 2)) % 4 for angle in angles)
    return turns.most_common(1)[0][0] if turns else 0


def read_words(text_page: PdfTextPage, text: str, turns: int = 0) -> list[Word]:
    """Returns the words of a page in the order of its text.

    Args:
        text_page: The page.
        text: All of its text.
        turns: See `quarter_turns`; they are undone, so that text runs from left to right.
    """
    import pypdfium2.raw as pdfium

    raw, index, box_of = text_page.raw, _indices(text_page, text), pdfium.FPDFText_GetLooseCharBox
    first, last = pdfium.FS_RECTF(), pdfium.FS_RECTF()
    first_place, last_place = byref(first), byref(last)
    words = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        box_of(raw, index(start), first_place)
        box_of(raw, index(end - 1), last_place)
        if turns:
            begin, finish = (turned(Box(box.left, box.right, box.bottom, box.top), turns) for box in (first, last))
            bottom, top = min(begin.bottom, finish.bottom), max(begin.top, finish.top)
            words.append(Word(start, end, begin.left, finish.right, bottom, top))
        else:
            words.append(
                Word(start, end, first.left, last.right, min(first.bottom, last.bottom), max(first.top, last.top))
            )
    return words


def turned(box: Box, turns: int) -> Box:
    """Returns the box after so many quarter turns of the text are undone."""
    if turns == 1:
        return Box(-box.top, -box.bottom, box.left, box.right)
    if turns == 2:
        return Box(-box.right, -box.left, -box.top, -box.bottom)
    if turns == 3:
        return Box(box.bottom, box.top, -box.right, -box.left)
    return box


def _indices(text_page: PdfTextPage, text: str) -> Callable[[int], int]:
    """Returns what maps a position in the text to the page's number of that character.

    The page may have characters that its text lacks (those without a code); only then are the two not the same.
    """
    import pypdfium2.raw as pdfium

    if text_page.count_chars() == len(text):
        return lambda position: position
    return lambda position: int(pdfium.FPDFText_GetCharIndexFromTextIndex(text_page.raw, position))

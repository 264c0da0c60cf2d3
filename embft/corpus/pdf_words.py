"""Where the words of a PDF page stand, as PDFium gives them."""

from __future__ import annotations

import re
from collections import Counter
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
        left, right: In points; text runs from left to right whatever the page's rotation.
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


def read_words(text_page: PdfTextPage, text: str) -> list[Word]:
    """Returns the words of a page in the order of its text, turned so that most of the text runs from left to right."""
    import pypdfium2.raw as pdfium

    raw = text_page.raw
    # The text may lack characters that the page has (those without a code); only then are indices not the same.
    same = text_page.count_chars() == len(text)
    box = pdfium.FS_RECTF()
    place = byref(box)

    def index(position: int) -> int:
        return position if same else int(pdfium.FPDFText_GetCharIndexFromTextIndex(raw, position))

    spans = [match.span() for match in _WORD.finditer(text)]
    turns = _quarter_turns(raw, [index(start) for start, _ in spans[:: max(1, len(spans) // _SAMPLE)]])
    words = []
    for start, end in spans:
        pdfium.FPDFText_GetLooseCharBox(raw, index(start), place)
        first = _turned(box, turns)
        pdfium.FPDFText_GetLooseCharBox(raw, index(end - 1), place)
        last = _turned(box, turns)
        words.append(Word(start, end, first[0], last[1], min(first[2], last[2]), max(first[3], last[3])))
    return words


def _quarter_turns(raw: object, indices: list[int]) -> int:
    """Returns by how many quarters, clockwise, most of the text is turned."""
    import pypdfium2.raw as pdfium

    turns = Counter(round(pdfium.FPDFText_GetCharAngle(raw, index) / 1.5707963) % 4 for index in indices)
    return turns.most_common(1)[0][0] if turns else 0


def _turned(box: object, turns: int) -> tuple[float, float, float, float]:
    """Returns left, right, bottom and top of a box after the turns are undone."""
    left, right, bottom, top = box.left, box.right, box.bottom, box.top  # type: ignore[attr-defined]
    if turns == 1:
        return -top, -bottom, left, right
    if turns == 2:
        return -right, -left, -top, -bottom
    if turns == 3:
        return bottom, top, -right, -left
    return left, right, bottom, top


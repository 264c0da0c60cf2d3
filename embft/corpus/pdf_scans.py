"""Which pages of a PDF have no text to speak of, and why: pictures of text, and fonts that do not say which letters they show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from embft.corpus.cleaning import clean_characters
from embft.corpus.pdf_words import Box, Word, turned
from embft.corpus.running_heads import drop_boilerplate

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

FEW_LETTERS = 20  # a page with fewer has no text layer to speak of
_MAY_BE_SCANNED = 400  # letters; a page with more is not asked for its pictures
_PICTURE = 0.3  # of the page's area
_MANY_STROKES = 60  # letters drawn as lines
_MARGIN = 0.07  # of the page on each side: what is typed there onto a scan is a stamp
_MOST_OBJECTS = 20_000
_SAMPLE = 300  # characters of a page that are asked whether their font names them
_MANY_UNKNOWN = 0.3  # of a page's characters
_NO_LETTERS = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff\x00-\x08\x0e-\x1f\x7f-\x9f]")
_BULLETS = re.compile("[\uf0a7\uf0b7\uf0d8\uf0fc\uf06c\uf06e]")
_HIGH_LATIN = re.compile("[\xa1-\xff]")
_MANY_HIGH_LATIN = 0.5  # no language has so many; Chinese that was taken for Latin has nothing else


@dataclass(frozen=True)
class PageMarks:
    """What a page shows besides its text.

    Attributes:
        inner_letters: Letters that do not stand in its margin.
        has_picture: Pictures cover a good part of it, or it is drawn of many lines.
        is_unreadable: Its fonts do not say which letters they show.
    """

    inner_letters: int
    has_picture: bool
    is_unreadable: bool


def survey(page: PdfPage, text_page: PdfTextPage, text: str, words: Sequence[Word], turns: int) -> PageMarks:
    """Looks at what a page is made of."""
    if sum(map(str.isalpha, text)) > _MAY_BE_SCANNED:
        return PageMarks(_MAY_BE_SCANNED, False, _is_unreadable(text_page, text))
    has_picture, has_text = _objects(page)
    unreadable = _is_unreadable(text_page, text) if text.strip() else has_text
    return PageMarks(_inner_letters(page, text, words, turns), has_picture, unreadable)


def unread_pages(texts: Sequence[str], marks: Sequence[PageMarks]) -> tuple[list[int], list[int]]:
    """Returns the numbers of scanned pages and of pages whose fonts are unreadable, counted from 1.

    Letters are counted after running heads are left out, and without what stands in the margin: a scan with a typed stamp
    is a scan.
    """
    bodies, _ = drop_boilerplate([clean_characters(text).split("\n") for text in texts])
    scanned, unreadable = [], []
    for number, (body, mark) in enumerate(zip(bodies, marks, strict=True), start=1):
        letters = sum(map(str.isalpha, "".join(body)))
        if mark.is_unreadable:
            unreadable.append(number)
        elif mark.has_picture and min(letters, mark.inner_letters) < FEW_LETTERS:
            scanned.append(number)
    return scanned, unreadable


def listed(numbers: Sequence[int], total: int) -> str:
    """Page numbers in words: ``pages 3, 5-7 (4 of 10)``."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), key=lambda item: item[1] - item[0])]
    places = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"page{'s' if len(numbers) > 1 else ''} {places} ({len(numbers)} of {total})"


def _objects(page: PdfPage) -> tuple[bool, bool]:
    """Returns whether pictures or drawn letters fill the page, and whether it has text objects."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    area, strokes, has_text = 0.0, 0, False
    width, height = page.get_size()
    for number, item in enumerate(page.get_objects(max_depth=4)):
        if number >= _MOST_OBJECTS:
            break
        strokes += item.type == pdfium.FPDF_PAGEOBJ_PATH
        has_text = has_text or item.type == pdfium.FPDF_PAGEOBJ_TEXT
        if item.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            try:
                left, bottom, right, top = item.get_bounds()
            except pypdfium2.PdfiumError:
                continue
            area += max(0.0, right - left) * max(0.0, top - bottom)
    return area >= _PICTURE * width * height or strokes >= _MANY_STROKES, has_text


def _inner_letters(page: PdfPage, text: str, words: Sequence[Word], turns: int) -> int:
    left, bottom, right, top = page.get_bbox()
    box = turned(Box(left, right, bottom, top), turns)
    x, y = _MARGIN * (box.right - box.left), _MARGIN * (box.top - box.bottom)
    return sum(
        sum(map(str.isalpha, text[word.start : word.end]))
        for word in words
        if box.left + x < (word.left + word.right) / 2 < box.right - x
        and box.bottom + y < (word.bottom + word.top) / 2 < box.top - y
    )


def _is_unreadable(text_page: PdfTextPage, text: str) -> bool:
    import pypdfium2.raw as pdfium

    signs = "".join(_BULLETS.sub("", text).split())
    if not signs:
        return False
    if len(_NO_LETTERS.findall(signs)) > _MANY_UNKNOWN * len(signs):
        return True
    if len(_HIGH_LATIN.findall(signs)) > _MANY_HIGH_LATIN * len(signs) and len(signs) >= 2 * FEW_LETTERS:
        return True
    total = text_page.count_chars()
    sample = [
        index
        for index in range(0, total, max(1, total // _SAMPLE))
        if not pdfium.FPDFText_IsGenerated(text_page.raw, index)
        and pdfium.FPDFText_GetUnicode(text_page.raw, index) != 32
    ]
    unknown = sum(pdfium.FPDFText_HasUnicodeMapError(text_page.raw, index) == 1 for index in sample)
    return len(signs) >= FEW_LETTERS and unknown > _MANY_UNKNOWN * max(1, len(sample))

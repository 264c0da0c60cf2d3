"""Words, numbers and pairs of Chinese characters of a text, as quotes are compared by them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from embft.text.tokens import CJK

WIDE = re.compile(rf"[{CJK}]")
_TOKEN = re.compile(rf"[{CJK}]|\d+(?:[.,'’]\d+)*|[^\W\d_{CJK}]+", re.UNICODE)
_NOT_DIGITS = re.compile(r"\D+")
_BROKEN = re.compile(r"([^\W\d_])[-\u00ad\u2010]\s*\n\s*(?=[^\W\d_])")


@dataclass(frozen=True)
class IndexedText:
    """A page, or two that follow each other: its tokens and where they stand."""

    pages: tuple[int, ...]
    tokens: list[str]
    spans: list[tuple[int, int, int]]  # page, start, end


def index_text(number: int, text: str) -> IndexedText:
    """Indexes one page."""
    tokens, spans = [], []
    for token, start, end in _spanned(text):
        tokens.append(token)
        spans.append((number, start, end))
    return IndexedText((number,), tokens, spans)


def join(first: IndexedText, second: IndexedText) -> IndexedText:
    """Two pages that follow each other as one."""
    return IndexedText((*first.pages, *second.pages), first.tokens + second.tokens, first.spans + second.spans)


def tokens_of(text: str) -> list[str]:
    """The words of a text alone."""
    return [token for token, _, _ in _spanned(text)]


def _spanned(text: str) -> Iterable[tuple[str, int, int]]:
    """Gives words, numbers without their separators, and pairs of Chinese or Japanese characters, with their spans."""
    if WIDE.search(text):
        return _spanned_wide(text)
    return [(_plain(match[0]), *match.span()) for match in _TOKEN.finditer(text)]


def _spanned_wide(text: str) -> Iterable[tuple[str, int, int]]:
    before: tuple[str, int, int] | None = None  # a wide character that no pair holds yet
    paired = False
    for match in _TOKEN.finditer(text):
        token, (start, end) = match[0], match.span()
        if WIDE.match(token):
            token = unicodedata.normalize("NFKC", token)
            if before and not text[before[2] : start].strip():
                yield before[0] + token, before[1], end
                paired = True
            else:
                if before and not paired:
                    yield before
                paired = False
            before = token, start, end
            continue
        if before and not paired:
            yield before
        before, paired = None, False
        yield _plain(token), start, end
    if before and not paired:
        yield before


@lru_cache(maxsize=1 << 18)
def _plain(word: str) -> str:
    """A number's digits; a word without accents, in lower case: programs spell é as one character, as two, or as e."""
    if word[0].isdigit():
        return _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", word)) or word
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word).casefold()
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)) or word


def unbroken(quote: str) -> str:
    """Joins words that were broken at a line's end."""
    return _BROKEN.sub(r"\1", quote)

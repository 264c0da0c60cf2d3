"""Which characters belong to which script, as the inside of a character class of a regular expression."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
KANA = "\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb"
UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u104f\u1050-\u109f\u1780-\u17d3\u17d7\u17dc\u17dd"
)
"""Thai, Lao, Burmese and Khmer: words follow each other without a space."""

_STARTS = (
    (0x0041, "Latin"), (0x0370, "Greek"), (0x0400, "Cyrillic"), (0x0531, "Armenian"), (0x0590, "Hebrew"), (0x0600, "Arabic"),
    (0x0700, "other"), (0x0750, "Arabic"), (0x0780, "other"), (0x08A0, "Arabic"), (0x0900, "Devanagari"), (0x0980, "Bengali"),
    (0x0A00, "Gurmukhi"), (0x0A80, "Gujarati"), (0x0B00, "Odia"), (0x0B80, "Tamil"), (0x0C00, "Telugu"), (0x0C80, "Kannada"),
    (0x0D00, "Malayalam"), (0x0D80, "Sinhala"), (0x0E00, "Thai"), (0x0E80, "Lao"), (0x0F00, "Tibetan"), (0x1000, "Burmese"),
    (0x10A0, "Georgian"), (0x1100, "Hangul"), (0x1200, "Ethiopic"), (0x13A0, "other"), (0x1780, "Khmer"), (0x1800, "other"),
    (0x1E00, "Latin"), (0x1F00, "Greek"), (0x2000, "other"), (0x2C60, "Latin"), (0x2C80, "other"), (0x3040, "Kana"),
    (0x3100, "other"), (0x3130, "Hangul"), (0x3190, "other"), (0x31F0, "Kana"), (0x3200, "other"), (0x3400, "Han"),
    (0xA000, "other"), (0xA720, "Latin"), (0xA800, "other"), (0xA960, "Hangul"), (0xA980, "other"), (0xAC00, "Hangul"),
    (0xD7FC, "other"), (0xF900, "Han"), (0xFB00, "Latin"), (0xFB13, "Armenian"), (0xFB1D, "Hebrew"), (0xFB50, "Arabic"),
    (0xFE00, "other"), (0xFE70, "Arabic"), (0xFF00, "other"), (0xFF21, "Latin"), (0xFF66, "Kana"), (0xFFA0, "Hangul"),
    (0xFFE0, "other"), (0x20000, "Han"), (0x32000, "other"),
)  # fmt: skip
_FIRST = [start for start, _ in _STARTS]
SCRIPTS = tuple(sorted({name for _, name in _STARTS} - {"other"}))


def script_of_letter(character: str) -> str:
    """The script of a letter; ``other`` for those that embft does not tell apart."""
    place = bisect_right(_FIRST, ord(character)) - 1
    return _STARTS[place][1] if place >= 0 else "other"


def letters_by_script(text: str) -> Counter[str]:
    """How many letters of each script a text has."""
    if text.isascii():
        return Counter({"Latin": sum(map(str.isalpha, text))})
    counts: Counter[str] = Counter()
    for character, number in Counter(text).items():
        if character.isalpha():
            counts[script_of_letter(character)] += number
    return counts


def character_class(characters: Iterable[int]) -> str:
    """Code points in rising order as the inside of a character class."""
    ranges: list[list[int]] = []
    for point in characters:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"\\u{first:04x}" if first == last else f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges)


# Vowel signs and accents that are characters of their own: to Python's \w they are no part of a word.
MARKS = character_class(
    point
    for point in (*range(0x300, 0x1E00), *range(0xA800, 0xAC00))
    if unicodedata.category(chr(point)) in {"Mn", "Mc"}
)
LOWER = character_class(
    point for point in (*range(0x61, 0x590), *range(0x1E00, 0x2000)) if unicodedata.category(chr(point)) == "Ll"
)

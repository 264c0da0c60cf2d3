"""Data files from outside: bytes to text, text to lines, lines to JSON, and nothing guessed that could be wrong."""

from __future__ import annotations

import codecs
import json
from typing import Any

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark starts with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 4096


def decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 and UTF-32 as spreadsheets save them. A byte order mark is dropped.

    Raises:
        ValueError: Another encoding; says at which byte.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:_LOOKED_AT]:
        encoding = _utf16_without_mark(data[:_LOOKED_AT])
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        name = encoding or "UTF-8"
        raise ValueError(
            f"not {name} (byte {error.start:,} is 0x{error.object[error.start]:02x}): save it as UTF-8, such as with iconv"
        ) from error


def _utf16_without_mark(data: bytes) -> str:
    """Every other byte of ASCII in UTF-16 is zero; a zero anywhere else makes a file binary."""
    zeros = [data[offset::2].count(0) for offset in (0, 1)]
    for encoding, here, there in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        if zeros[here] > 10 * zeros[there] and zeros[here] * 10 > len(data) // 2:
            return encoding
    raise ValueError("not text (it holds zero bytes): save it as UTF-8")


def lines_of(text: str) -> list[str]:
    """Lines, as JSON Lines and tables have them: ended by a line feed alone, or by what old systems had.

    U+2028 and other characters that Python's ``splitlines`` stops at belong to a line.
    """
    if "\n" not in text and "\r" in text:
        return text.split("\r")
    return [line.removesuffix("\r") for line in text.split("\n")]


def parse_json(text: str) -> Any:
    """JSON in which no key stands twice with different values; NaN is null, as tables write it.

    Raises:
        ValueError: It is not JSON, or a key is repeated; says which.
        RecursionError: It is nested beyond measure.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=lambda name: None)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        first: dict[str, object] = {}
        for key, value in pairs:
            if first.setdefault(key, value) != value:
                raise ValueError(f"the key {key!r} stands twice with different values")
    return content

"""Bytes to text, for files that do not say in which encoding they are."""

from __future__ import annotations

import codecs
import re

from embft.errors import CorpusError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark starts with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_HIGH = re.compile(rb"[\x80-\xff]")
_GB2312_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")


def decode(data: bytes, *, html: bool = False) -> tuple[str, str]:
    """Decodes a text file.

    A byte order mark decides; then, in HTML, the page's own word; then UTF-8, UTF-16 without a mark, GB 18030 where the
    bytes look like Chinese, and at last Windows-1252 (what "latin-1" files are), which takes anything.

    Returns:
        The text and the encoding that was used.

    Raises:
        CorpusError: The file is empty or binary.
    """
    if not data.strip():
        raise CorpusError("is empty: take it out, or get it again")
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strictly(data, encoding), encoding
    declared = _META_CHARSET.search(data[:4096]) if html else None
    if declared and (text := _try(data, declared[1].decode("ascii"))) is not None:
        return text, declared[1].decode("ascii").lower()
    if b"\0" in data:
        return _utf16_without_mark(data)
    if (text := _try(data, "utf-8")) is not None:
        return text, "utf-8"
    high = len(_HIGH.findall(data))
    if 2 * len(_GB2312_PAIR.findall(data)) >= 0.8 * high and (text := _try(data, "gb18030")) is not None:
        return text, "gb18030"
    if (text := _try(data, "cp1252")) is not None:
        return text, "cp1252"
    return data.decode("latin-1"), "latin-1"


def _utf16_without_mark(data: bytes) -> tuple[str, str]:
    """Every other byte of ASCII in UTF-16 is zero; a zero anywhere else makes a file binary."""
    zeros = [data[offset::2].count(0) for offset in (0, 1)]
    for encoding, here, there in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        if zeros[here] > 10 * zeros[there] and zeros[here] * 10 > len(data) // 2:
            return _strictly(data, encoding), encoding
    raise CorpusError("is binary, not text (it holds zero bytes): take it out, or convert it")


def _strictly(data: bytes, encoding: str) -> str:
    text = _try(data, encoding)
    if text is None:
        raise CorpusError(f"starts as {encoding} and breaks off within: save it again as UTF-8")
    return text


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None

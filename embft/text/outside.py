"""Data files from outside: bytes to text, and text to lines."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from embft.text.decoding import Decoded, decode

_BLOCK = 1 << 20
_UNUSUAL = bytes(code for code in range(0x20) if code not in b"\t\n\r")
"""Bytes that make `decode` look more closely."""


def decoded(data: bytes) -> Decoded:
    """The text of a table or of JSON, in any encoding; a file without text is an empty one.

    Raises:
        ValueError: The file is binary; a sentence whose subject is ``it``.
    """
    if not data.strip(b" \t\r\n\f\0"):
        return Decoded("", "utf-8")
    try:
        return decode(data)
    except ValueError as error:
        raise ValueError(f"it {error}") from None


def require_file(path: Path) -> None:
    """Refuses what no file lies in: a pipe may be waited for, and a device read, without end.

    Raises:
        ValueError: It is there, and is something else.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError("it is a pipe, a socket or a device: write what it gives into a file")


def plain_lines(path: Path) -> Iterator[str] | None:
    """The lines of a file that is plainly UTF-8, one at a time; None where it has to be looked at as a whole."""
    try:
        return _lines(path) if _is_plain(path) else None
    except (OSError, UnicodeDecodeError):
        return None


def _is_plain(path: Path) -> bool:
    """Whether nothing in a file needs `decode`.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is not UTF-8.
    """
    decoder, feeds, first = codecs.getincrementaldecoder("utf-8")(), False, True
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if len(block.translate(None, _UNUSUAL)) < len(block) or (first and block.startswith(codecs.BOM_UTF8)):
                return False
            if "\ufffd" in decoder.decode(block):
                return False
            feeds, first = feeds or b"\n" in block, False
        decoder.decode(b"", final=True)
    return feeds


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.removesuffix("\n").removesuffix("\r")


def lines_of(text: str) -> list[str]:
    """Lines, as JSON Lines and tables have them: ended by a line feed alone, or by what old systems had.

    U+2028 and other characters that Python's ``splitlines`` stops at belong to a line.
    """
    if "\n" not in text and "\r" in text:
        return text.split("\r")
    return [line.removesuffix("\r") for line in text.split("\n")]

"""Data files from outside: bytes to text, and text to lines."""

from __future__ import annotations

from embft.text.decoding import Decoded, decode


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


def lines_of(text: str) -> list[str]:
    """Lines, as JSON Lines and tables have them: ended by a line feed alone, or by what old systems had.

    U+2028 and other characters that Python's ``splitlines`` stops at belong to a line.
    """
    if "\n" not in text and "\r" in text:
        return text.split("\r")
    return [line.removesuffix("\r") for line in text.split("\n")]

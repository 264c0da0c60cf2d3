"""Bytes of a document to text, with the errors of documents."""

from __future__ import annotations

from embft.errors import CorpusError
from embft.text import decoding
from embft.text.decoding import Decoded


def decode(data: bytes, *, html: bool = False) -> Decoded:
    """Decodes a document; see `embft.text.decoding.decode`.

    Raises:
        CorpusError: The file is empty or binary.
    """
    try:
        return decoding.decode(data, html=html)
    except ValueError as error:
        raise CorpusError(str(error)) from None

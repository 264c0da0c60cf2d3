"""The body of an answer: read and inflated within limits, and JSON out of it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

JsonObject = Mapping[str, Any]
"""An object of JSON, as it was read or as it is to be written; what is in it is for its reader to check."""
_INFLATED = {"gzip", "x-gzip", "deflate"}


class BodyError(Exception):
    """A body that cannot be used. The message ends a sentence that begins with the server."""


class BodyReader:
    """Takes the pieces of a body as they come and keeps at most ``limit`` bytes, also of what is inflated.

    Args:
        encoding: The header ``Content-Encoding``.
        limit: Bytes, as sent and as inflated.
        cut: Keep the beginning of a longer body instead of refusing it; `full` then says that no more is needed.

    Raises:
        BodyError: An encoding that nobody asked for.
    """

    def __init__(self, encoding: str, limit: int, *, cut: bool = False) -> None:
        names = [name for name in encoding.lower().replace(" ", "").split(",") if name not in {"", "identity"}]
        if len(names) > 1 or not set(names) <= _INFLATED:
            raise BodyError(f"sent its answer packed as '{encoding[:40]}', which was not asked for")
        self._limit, self._cut = limit, cut
        self._received, self._size = 0, 0
        self._pieces: list[bytes] = []
        self._inflater: Any = zlib.decompressobj(47) if names else None  # 47: gzip or zlib, whichever it is
        self._fallback = names == ["deflate"]  # some servers send it without zlib's header
        self.full = False

    def feed(self, piece: bytes) -> None:
        """Takes the next piece.

        Raises:
            BodyError: The limit is passed, or the piece cannot be inflated.
        """
        self._received += len(piece)
        if self._received > self._limit:
            self._overflow()
            piece = piece[: max(0, self._limit - self._received + len(piece))]
        while piece:
            plain, piece = self._plain(piece)
            if self._size + len(plain) > self._limit:
                self._overflow()
                plain, piece = plain[: self._limit - self._size], b""
            self._size += len(plain)
            self._pieces.append(plain)

    def finish(self) -> bytes:
        """The whole body.

        Raises:
            BodyError: What was packed ends in its middle.
        """
        if self._inflater is not None and self._received and not self._inflater.eof and not self.full:
            raise BodyError("sent a packed answer that ends in its middle")
        return b"".join(self._pieces)

    def _plain(self, piece: bytes) -> tuple[bytes, bytes]:
        if self._inflater is None:
            return piece, b""
        if self._inflater.eof:  # a second packet behind the first
            self._inflater = zlib.decompressobj(47)
        try:
            # One byte more than there is room for: enough to see that it is too much.
            plain = self._inflater.decompress(piece, self._limit - self._size + 1)
        except zlib.error:
            if not self._fallback or self._size:
                raise BodyError("sent a packed answer that cannot be unpacked") from None
            self._fallback, self._inflater = False, zlib.decompressobj(-15)
            return self._plain(piece)
        return plain, self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail

    def _overflow(self) -> None:
        if not self._cut:
            raise BodyError(f"sent more than {self._limit / 2**20:,.0f} MiB, far more than such an answer takes")
        self.full = True

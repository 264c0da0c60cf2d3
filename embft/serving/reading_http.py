"""How requests are read: by httptools in C where it is installed, with a limit on what comes before the body."""

from __future__ import annotations

import asyncio
from typing import Any

_MOST = 64 << 10
"""Bytes of a request's first line and headers, as h11 has it. httptools has no limit of its own."""


def protocol() -> type[asyncio.Protocol] | str:
    """What uvicorn's ``http`` takes."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        return "h11"

    class BoundedHead(HttpToolsProtocol):
        """Reads by httptools; a head that does not end is refused."""

        _head: int | None = 0  # bytes of the head so far; None: it has ended

        def on_message_begin(self) -> Any:
            self._head = 0
            return super().on_message_begin()

        def on_headers_complete(self) -> Any:
            self._head = None
            return super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            if self._head is not None and self._head > _MOST:
                self.send_400_response(f"The headers have more than {_MOST:,} bytes.")
                return
            super().data_received(data)
            if self._head is not None:
                self._head += len(data)

    return BoundedHead

"""The HTTP client below OpenAI's: an answer comes whole, within its time and size, or not at all."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from typing import Any
from urllib.request import getproxies

import anyio
import httpx

from embft.services.body import BodyError, BodyReader
from embft.services.calls import NoAnswerError, TooSlowError
from embft.services.words import shown

LIMIT = "x-embft-limit"
"""The header of a request that says how many bytes of a good answer are taken. It is not sent."""
_ERROR_BODY = 64 << 10
"""Bytes of a refusal that are read: it is there to be shown."""
_OF_THE_BODY = ("content-encoding", "content-length", "content-type", "transfer-encoding")
"""Headers that are not true of a body that was read, inflated and perhaps cut. A wrong charset is better not believed."""


class WholeAnswers(httpx.AsyncClient):
    """Sends requests with a deadline for the whole, and reads answers within limits. It follows no redirect.

    Args:
        deadline: Seconds from a request's first byte to the last of its answer.
        connections: At once.
        secure: Whether certificates are needed.
    """

    def __init__(self, *, deadline: float, connections: int, secure: bool) -> None:
        self._deadline = deadline
        super().__init__(
            headers={"Accept-Encoding": "gzip, deflate"},  # what `BodyReader` inflates
            timeout=None,  # a deadline for the whole stands in its place
            verify=_certificates() if secure or getproxies() else _no_certificates(),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Sends a request. The answer has been read, also where a stream is asked for.

        Raises:
            NoAnswerError: No connection, too slow, too much, cut off, or packed in a way that cannot be read.
        """
        limit = int(request.headers.pop(LIMIT, _ERROR_BODY))
        try:
            return await asyncio.wait_for(self._whole(request, limit, options), self._deadline)
        except asyncio.TimeoutError:
            raise TooSlowError(f"gave no whole answer within {self._deadline:g} s") from None
        except BodyError as error:
            raise NoAnswerError(str(error)) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
            raise NoAnswerError(f"cannot be reached ({_short(error)})", unreachable=True) from None
        except (httpx.HTTPError, ssl.SSLError, anyio.EndOfStream) as error:
            raise NoAnswerError(f"broke off the connection ({_short(error)})") from None

    async def _whole(self, request: httpx.Request, limit: int, options: dict[str, Any]) -> httpx.Response:
        response = await super().send(request, stream=True, **options)
        try:
            bad = response.status_code >= 300
            reader = BodyReader(response.headers.get("content-encoding", ""), _ERROR_BODY if bad else limit, cut=bad)
            async for piece in response.aiter_raw():
                reader.feed(piece)
                if reader.full:
                    break
            content = reader.finish()
        finally:
            await response.aclose()
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_BODY]
        return httpx.Response(response.status_code, headers=headers, content=content, request=request)


@cache
def _certificates() -> ssl.SSLContext:
    """Reading them takes 0.1 s: once a process, and where they are needed."""
    return httpx.create_ssl_context()


def _no_certificates() -> ssl.SSLContext:
    """Trusts nobody, in no time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _short(error: Exception) -> str:
    return shown(str(error), longest=120) or type(error).__name__

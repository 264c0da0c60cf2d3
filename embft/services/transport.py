"""Requests over HTTP that end: in an answer of limited size, within their time, after a limited number of retries.

Not by a vendor's client: those time the gaps between bytes instead of the request, inflate without a limit, and take a
good status for a good answer.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from typing import Any, TypeVar
from urllib.request import getproxies

from embft.services.address import Address
from embft.services.body import BodyError, BodyReader
from embft.services.words import Words, read_words, shown

T = TypeVar("T")

_ERROR_BODY = 64 << 10
"""Bytes of a refusal that are read: it is there to be shown."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
"""Seconds between tries; they double, as those of OpenAI's client do."""
_LONGEST_WAIT = 120.0
"""Seconds that a server may ask to be left alone (Retry-After) before that counts as its answer."""
_SLOW_RETRIES = 2
"""Retries after a request that took too long: it may have been paid for."""
_SPENT = (
    "insufficient_quota",
    "exceeded your current quota",
    "billing",
    "credit balance",
    "insufficient balance",
    "余额",
)
"""Words of a 429 that waiting does not change."""


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        path: Behind the base URL; begins with a slash.
        json: The body, if it has one.
        file: Name and bytes of a file to upload, with the other fields of its form.
        limit: Bytes of the answer that are taken at most.
    """

    path: str
    json: Any = None
    file: tuple[str, bytes, Mapping[str, str]] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    limit: int = 16 << 20

    @property
    def method(self) -> str:
        """POST where there is something to send."""
        return "GET" if self.json is None and self.file is None else "POST"


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        content: Inflated; of a refusal, the beginning.
        retries: How often it was asked again.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    secrets: tuple[str, ...] = field(repr=False, default=())
    retries: int = 0

    @property
    def is_good(self) -> bool:
        """A status of success; the content is another matter."""
        return 200 <= self.status < 300

    @cached_property
    def words(self) -> Words:
        """What a refusal says."""
        if 300 <= self.status < 400:
            return read_words(f"it has moved to {self.headers.get('location', 'another address')}", self.secrets)
        return read_words(self.content, self.secrets)

    @property
    def in_words(self) -> str:
        """``answered 400: what it said``."""
        return f"answered {self.status}{self.words.quoted}"


class NoAnswerError(Exception):
    """A request without an answer that could be read. The message ends a sentence that begins with the server.

    Attributes:
        unreachable: There was not even a connection.
    """

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


def worth_retrying(answer: Answer) -> bool:
    """Whether the same request may be answered otherwise in a moment."""
    if answer.status == 429 and any(word in answer.words.whole for word in _SPENT):
        return False
    return answer.status in {408, 409, 425, 429} or (answer.status >= 500 and answer.status not in {501, 505})


class Transport:
    """Calls of one service. To be used and closed within one event loop.

    Args:
        address: Of the service.
        key: Goes nowhere but into the requests; None: the service has none.
        timeout_seconds: For a whole request, from its first byte to the last of its answer.
        max_retries: Of a call, after a refusal that may pass.
        connections: At once.
    """

    def __init__(
        self, address: Address, key: str | None, *, timeout_seconds: float, max_retries: int, connections: int
    ) -> None:
        import httpx

        self._address, self._secrets = address, (key,) if key else ()
        self._timeout, self._max_retries = timeout_seconds, max_retries
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "embft"}
        self._client = httpx.AsyncClient(
            headers={**headers, **_authorisation(address, key)},
            timeout=None,  # a deadline for the whole stands in its place
            verify=_certificates() if address.root.startswith("https:") or getproxies() else _no_certificates(),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def send(self, call: Call, retry: Callable[[Answer], bool] = worth_retrying) -> Answer:
        """Makes a call, and makes it again while ``retry`` says that this may help.

        Raises:
            NoAnswerError: No connection, too slow, too much, cut off, or packed in a way that cannot be read.
        """
        tried = 0
        while True:
            try:
                answer = await asyncio.wait_for(self._once(call), self._timeout)
            except asyncio.TimeoutError:
                if tried >= min(self._max_retries, _SLOW_RETRIES):
                    raise NoAnswerError(f"gave no whole answer within {self._timeout:g} s") from None
                pause = _pause(tried)
            except NoAnswerError:
                if tried >= self._max_retries:
                    raise
                pause = _pause(tried)
            else:
                wait = _asked_to_wait(answer.headers)
                too_long = wait is not None and wait > _LONGEST_WAIT
                if tried >= self._max_retries or too_long or not retry(answer):
                    return Answer(answer.status, answer.headers, answer.content, self._secrets, tried)
                pause = _pause(tried) if wait is None else wait
            tried += 1
            await asyncio.sleep(pause)

    async def _once(self, call: Call) -> Answer:
        import httpx

        sent: dict[str, Any] = {"headers": dict(call.headers)}
        if call.file is not None:
            name, content, fields = call.file
            sent |= {"files": {"file": (name, content)}, "data": dict(fields)}
        elif call.json is not None:
            # Half a character out of a PDF, which UTF-8 cannot hold, becomes '?'.
            sent["content"] = json.dumps(call.json, ensure_ascii=False).encode("utf-8", "replace")
            sent["headers"]["Content-Type"] = "application/json"
        try:
            async with self._client.stream(call.method, self._address.url(call.path, call.query), **sent) as response:
                bad = response.status_code >= 300
                reader = BodyReader(
                    response.headers.get("content-encoding", ""), _ERROR_BODY if bad else call.limit, cut=bad
                )
                async for piece in response.aiter_raw():
                    reader.feed(piece)
                    if reader.full:
                        break
                return Answer(response.status_code, response.headers, reader.finish(), self._secrets)
        except BodyError as error:
            raise NoAnswerError(str(error)) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
            raise NoAnswerError(f"cannot be reached ({_short(error)})", unreachable=True) from None
        except httpx.InvalidURL:
            raise NoAnswerError("cannot be reached (its address is no URL)", unreachable=True) from None
        except httpx.HTTPError as error:
            raise NoAnswerError(f"broke off the connection ({_short(error)})") from None


def run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs to the end, also below a caller's event loop (a notebook): then in a thread.

    Without one it stays in this thread, for there asyncio cancels what is under way at Ctrl-C; a thread would go on
    asking, and paying.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@cache
def _certificates() -> ssl.SSLContext:
    """Reading them takes 0.1 s: once a process, and where they are needed."""
    import httpx

    return httpx.create_ssl_context()


def _no_certificates() -> ssl.SSLContext:
    """Trusts nobody, in no time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _authorisation(address: Address, key: str | None) -> dict[str, str]:
    """The key's header. Azure has one of its own, and takes a token of its directory (``ey...``) in the usual one."""
    usual = {"Authorization": f"Bearer {key or 'none'}"}
    if key and address.is_azure and not key.startswith("ey"):
        return {"api-key": key}
    return {**usual, "api-key": key} if key and address.has_version else usual


def _pause(tried: int) -> float:
    return min(_FIRST_PAUSE * 2.0**tried, _LONGEST_PAUSE) * random.uniform(0.75, 1.0)


def _asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds, by ``Retry-After`` (seconds or a date) or ``retry-after-ms``; None where nothing sensible is asked."""
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        elif "retry-after" not in headers:
            return None
        elif headers["retry-after"].strip().replace(".", "", 1).isdecimal():
            seconds = float(headers["retry-after"])
        else:
            date = parsedate_to_datetime(headers["retry-after"])
            aware = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
            seconds = (aware - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if seconds >= 0 else None


def _short(error: Exception) -> str:
    return shown(str(error), longest=120) or type(error).__name__

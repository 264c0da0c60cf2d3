"""Requests by OpenAI's client that end: in an answer of limited size, within their time, after a limited number of retries.

Its HTTP client is ours (`embft.services.whole_answers`), for its own times the gaps between bytes instead of the request
and inflates without a limit. Retries are ours too, for they depend on what a refusal says. Bodies are given back as they
came: what reads them takes no good status for a good answer.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from embft.services.address import Address
from embft.services.calls import Answer, Call, NoAnswerError, TooSlowError, worth_retrying

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI, Omit

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
"""Seconds between tries; they double, as those of OpenAI's client do."""
_LONGEST_WAIT = 120.0
"""Seconds that a server may ask to be left alone (Retry-After) before that counts as its answer."""
_SLOW_RETRIES = 2
"""Retries after a request that took too long: it may have been paid for."""


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
        from embft.services.whole_answers import WholeAnswers

        self._address, self._key, self._secrets = address, key, (key,) if key else ()
        self._max_retries = max_retries
        self._http = WholeAnswers(
            deadline=timeout_seconds, connections=connections, secure=address.root.startswith("https:")
        )
        self._official: AsyncOpenAI | None = None

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def send(self, call: Call, retry: Callable[[Answer], bool] = worth_retrying) -> Answer:
        """Makes a call, and makes it again while ``retry`` says that this may help.

        Raises:
            NoAnswerError: No connection, too slow, too much, cut off, or packed in a way that cannot be read.
        """
        tried = 0
        while True:
            try:
                answer = await self._once(call)
            except TooSlowError:
                if tried >= min(self._max_retries, _SLOW_RETRIES):
                    raise
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
        client = self._client()
        import openai

        try:
            response = await self._response(client, call)
        except openai.APIStatusError as refusal:
            response = refusal.response  # type: ignore[assignment]  # of the HTTP client that it was given
        except openai.APIConnectionError as error:  # openai 2 wraps whatever its HTTP client raises
            if isinstance(error.__cause__, NoAnswerError):
                raise error.__cause__ from None
            raise
        return Answer(response.status_code, response.headers, response.content, self._secrets)

    async def _response(self, client: AsyncOpenAI, call: Call) -> httpx.Response:
        """A good answer, unread by the client: a server's JSON is for us to check."""
        import httpx

        from embft.services.whole_answers import LIMIT

        path = self._address.path(call.path, call.query)
        headers = {**_headers(self._address, self._key), **call.headers, LIMIT: str(call.limit)}
        if call.file is not None:
            name, content, fields = call.file
            return await client.post(
                path,
                cast_to=httpx.Response,
                body=dict(fields),
                files={"file": (name, content)},
                options={"headers": {**headers, "Content-Type": "multipart/form-data"}},
            )
        if call.json is not None:
            return await client.post(
                path, cast_to=httpx.Response, body=_encodable(call.json), options={"headers": headers}
            )
        return await client.get(path, cast_to=httpx.Response, options={"headers": headers})

    def _client(self) -> AsyncOpenAI:
        """Made at the first request: to import it takes a second.

        Raises:
            NoAnswerError: The address is no URL.
        """
        if self._official is None:
            import httpx
            from openai import AsyncOpenAI

            try:
                httpx.URL(self._address.root)
            except httpx.InvalidURL:
                raise NoAnswerError("cannot be reached (its address is no URL)", unreachable=True) from None
            http: Any = self._http  # the client takes httpx's and httpx2's alike, and names only one of them
            self._official = AsyncOpenAI(
                base_url=self._address.root, api_key=self._key or "none", http_client=http, timeout=None, max_retries=0
            )
        return self._official


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


def _headers(address: Address, key: str | None) -> dict[str, str | Omit]:
    """The key's header, before all that the client finds in the environment, which is for OpenAI alone.

    Azure has a header of its own, and takes a token of its directory (``ey...``) in the usual one.
    """
    from openai import omit

    headers: dict[str, str | Omit] = {"User-Agent": "embft", "Authorization": f"Bearer {key or 'none'}"}
    if not address.is_openai:
        headers |= {"OpenAI-Organization": omit, "OpenAI-Project": omit}
    if key and address.is_azure and not key.startswith("ey"):
        headers |= {"Authorization": omit, "api-key": key}
    elif key and address.has_version:
        headers["api-key"] = key
    return headers


def _encodable(body: Any) -> Any:
    """Half a character out of a PDF, which UTF-8 cannot hold, becomes '?'."""
    return json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))


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

"""Asking an endpoint: bounded, paced, within the budget; each reply is stored before it is used."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embft.config import QuestionsConfig
from embft.questions.budget import Budget
from embft.questions.client import no_model, open_client, refused_key, unreachable
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request

_OPTIONAL = ("response_format", "seed", "temperature", "max_tokens")
"""Parameters that some servers or models refuse; a request does without, and max_tokens goes by its newer name."""
_TRIES = 2
"""Answers that hold no reply are asked for again, under the same idempotency key."""


@dataclass(frozen=True)
class Reply:
    """What came of a request.

    Attributes:
        text: None where it failed.
        failure: Why.
        tokens: Paid for now, prompt and reply together.
        cached: It was stored already.
    """

    text: str | None
    failure: str | None = None
    tokens: int = 0
    cached: bool = False


BUDGET_SPENT = Reply(None, "the budget is spent")


async def ask_live(
    requests: Sequence[Request], config: QuestionsConfig, cache: ReplyCache, budget: Budget
) -> dict[str, Reply]:
    """Makes the requests whose replies are not stored yet, at most ``concurrency`` at a time.

    Returns:
        Request key to reply.

    Raises:
        EndpointError: The endpoint refuses the key or the model, or was never reached.
    """
    from tqdm.auto import tqdm

    replies, missing = stored_replies(requests, cache, budget)
    if not missing:
        return replies
    endpoint = _Endpoint(config, cache, budget)
    bar = tqdm(total=len(replies) + len(missing), initial=len(replies), desc="questions", unit="request", disable=None)

    async def ask(request: Request) -> None:
        replies[request.key] = await endpoint.ask(request)
        spent = {"usd": f"{budget.usd:.4f}"} if budget.priced and budget.usd else {}
        bar.set_postfix(tokens=budget.tokens, **spent, refresh=False)
        bar.update()

    tasks = [asyncio.ensure_future(ask(request)) for request in missing]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        bar.close()
        await endpoint.close()
    return replies


def stored_replies(
    requests: Sequence[Request], cache: ReplyCache, budget: Budget
) -> tuple[dict[str, Reply], list[Request]]:
    """Replies that are there, counted in the budget, and the requests that are not, each once."""
    replies: dict[str, Reply] = {}
    missing: dict[str, Request] = {}
    for request in requests:
        key = request.key
        if key in replies or key in missing:
            continue
        found = cache.get(key)
        if found is None:
            missing[key] = request
        else:
            budget.note(found)
            replies[key] = Reply(found["text"], cached=True)
    return replies, list(missing.values())


class _Endpoint:
    def __init__(self, config: QuestionsConfig, cache: ReplyCache, budget: Budget) -> None:
        self._config, self._cache, self._budget = config, cache, budget
        self._client = open_client(config)
        self._slots = asyncio.Semaphore(config.concurrency)
        self._next_start = 0.0
        self._reached = False
        self._refused: set[str] = set()

    async def close(self) -> None:
        await self._client.close()

    async def ask(self, request: Request) -> Reply:
        async with self._slots:
            reserved = await self._budget.reserve(request)
            if reserved is None:
                return BUDGET_SPENT
            stored = None
            try:
                await self._pace()
                answer = await self._answer(request)
                if isinstance(answer, str):
                    return Reply(None, answer)
                stored = answer
            finally:
                await self._budget.settle(reserved, stored)
        return Reply(stored["text"], tokens=stored["prompt_tokens"] + stored["completion_tokens"])

    async def _pace(self) -> None:
        """Waits for this request's turn, where there is a cap a minute."""
        if self._config.requests_per_minute is None:
            return
        start = max(time.monotonic(), self._next_start)
        self._next_start = start + 60.0 / self._config.requests_per_minute
        await asyncio.sleep(start - time.monotonic())

    async def _answer(self, request: Request) -> Mapping[str, Any] | str:
        """The reply, stored; or why there is none."""
        import openai

        key, why = request.key, ""
        for _ in range(_TRIES + len(_OPTIONAL)):
            body, started = self._accepted(request.body), time.perf_counter()
            try:
                # A gateway that honours the key bills a request that came twice (a timeout, a kill) once.
                completion = await self._client.chat.completions.create(**body, extra_headers={"Idempotency-Key": key})
            except openai.AuthenticationError:
                raise refused_key(self._config) from None
            except openai.NotFoundError:
                raise no_model(self._config) from None
            except openai.APITimeoutError:
                return f"no answer within {self._config.timeout_seconds:g} s"
            except openai.APIConnectionError:
                if not self._reached:
                    raise unreachable(self._config) from None
                return "the connection broke"
            except openai.APIStatusError as error:
                if self._can_do_without(error, body):
                    continue
                return f"the server answered {error.status_code}"
            except (openai.APIError, json.JSONDecodeError, ValueError):
                if why:
                    return why
                why = "the server's answer was no JSON"
                continue
            self._reached = True
            choices = getattr(completion, "choices", None)
            if not choices:  # some gateways answer 200 with an error in it; kept, it would stand for a reply for ever
                if why:
                    return why
                why = "the server's answer held no reply"
                continue
            usage = getattr(completion, "usage", None)
            reply = {
                "text": choices[0].message.content or "",
                "prompt_tokens": int(getattr(usage, "prompt_tokens", 0) or 0),
                "completion_tokens": int(getattr(usage, "completion_tokens", 0) or 0),
                "seconds": round(time.perf_counter() - started, 3),
            }
            self._cache.put(key, request.keyed, reply)
            return reply
        return why or "the server refuses every form of the request"

    def _accepted(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The request without what this server refused before."""
        accepted = {name: value for name, value in body.items() if name not in self._refused}
        if "max_tokens" in self._refused:
            accepted["max_completion_tokens"] = body["max_tokens"]
        return accepted

    def _can_do_without(self, error: Any, body: Mapping[str, Any]) -> bool:
        """Whether a refusal is about a parameter that can be left out; then it is left out from now on."""
        if error.status_code not in {400, 422, 501}:
            return False
        said = f"{getattr(error, 'param', '') or ''} {getattr(error, 'message', '')}"
        named = next((name for name in _OPTIONAL if name in said and name in body), None)
        if named is None and "response_format" in body and ("json_schema" in said or "grammar" in said):
            named = "response_format"
        if named is not None:
            self._refused.add(named)
        return named is not None or any(name in self._refused and name in body for name in _OPTIONAL)

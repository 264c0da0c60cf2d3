"""Asking an endpoint: bounded, paced, within the budget; each reply is stored before it is used."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from embft.config import QuestionsConfig
from embft.progress import progress
from embft.questions.budget import Budget
from embft.questions.chat_reply import Completion, read_completion
from embft.questions.client import open_client, refusal_of_all, unreachable, where
from embft.questions.reply_cache import ReplyCache
from embft.questions.request_forms import OPTIONAL, Forms
from embft.questions.tasks import Request
from embft.questions.usage import Usage, usage_of
from embft.services.calls import Answer, Call, NoAnswerError, worth_retrying
from embft.services.refusals import asks_for_too_long_a_reply, is_filtered, is_refusal, is_too_long
from embft.services.transport import run_to_end

logger = logging.getLogger(__name__)

_PATH = "/chat/completions"
_TRIES = 2
"""Answers that hold no reply are asked for again, under the same idempotency key."""
_HOPELESS = 100
"""Failures without a single usable reply after which the rest is not asked, or paid, any more."""


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
    replies, missing = stored_replies(requests, cache, budget)
    if not missing:
        return replies
    endpoint = _Endpoint(config, cache, budget)

    async def ask(request: Request) -> None:
        replies[request.key] = await endpoint.ask(request)
        spent = f", ${budget.usd:.4f}" if budget.priced and budget.usd else ""
        work.note = f"{budget.tokens:,} tokens{spent}"
        work.advance()

    with progress("questions", len(replies) + len(missing), "requests") as work:
        work.begin_at(len(replies))
        tasks = [asyncio.ensure_future(ask(request)) for request in missing]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await endpoint.close()
    return replies


def ask_now(
    requests: Sequence[Request], config: QuestionsConfig, cache: ReplyCache, budget: Budget
) -> dict[str, Reply]:
    """`ask_live`, run to its end: an `embft.questions.llm.Asker`."""
    return run_to_end(ask_live(requests, config, cache, budget))


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
        stored = cache.get(key)
        if stored is None:
            missing[key] = request
        else:
            budget.note(usage_of(stored, request.body, stored["text"]))
            replies[key] = Reply(stored["text"], cached=True)
    return replies, list(missing.values())


def keep(
    request: Request, completion: Completion, cache: ReplyCache, seconds: float | None = None
) -> tuple[Reply, Usage]:
    """Stores a usable reply, and says what came of the request and what it took; a failure is not stored."""
    usage = usage_of(completion.usage, request.body, completion.written)
    if completion.text is None:
        # What is no reply at all costs nothing, unless the server says that it does.
        paid = not completion.again or usage.believed
        return Reply(None, completion.failure, usage.total if paid else 0), usage if paid else Usage(0, 0, True)
    stored: dict[str, Any] = {
        "text": completion.text,
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.reply,
    }
    cache.put(request.key, request.keyed, stored if seconds is None else {**stored, "seconds": round(seconds, 3)})
    return Reply(completion.text, tokens=usage.total), usage


class _Endpoint:
    def __init__(self, config: QuestionsConfig, cache: ReplyCache, budget: Budget) -> None:
        self._config, self._cache, self._budget = config, cache, budget
        self._transport = open_client(config)
        self._slots = asyncio.Semaphore(config.concurrency)
        self._forms = Forms(where(config), config.setting)
        self._next_start = 0.0
        self._reached = False
        self._usable, self._failed = 0, 0
        self._doubted = False

    async def close(self) -> None:
        await self._transport.close()

    async def ask(self, request: Request) -> Reply:
        async with self._slots:
            if self._failed >= _HOPELESS and not self._usable:
                return Reply(None, f"not asked, after {_HOPELESS} failures without one reply")
            reserved = await self._budget.reserve(request)
            if reserved is None:
                return BUDGET_SPENT
            spent: list[Usage] = []
            try:
                await self._pace()
                reply = await self._reply(request, spent)
            finally:
                await self._budget.settle(reserved, spent)
            self._usable += reply.text is not None
            self._failed += reply.text is None
            return replace(reply, tokens=sum(usage.total for usage in spent))

    async def _pace(self) -> None:
        """Waits for this request's turn, where there is a cap a minute."""
        if self._config.requests_per_minute is None:
            return
        start = max(time.monotonic(), self._next_start)
        self._next_start = start + 60.0 / self._config.requests_per_minute
        await asyncio.sleep(start - time.monotonic())

    async def _reply(self, request: Request, spent: list[Usage]) -> Reply:
        """The reply, stored; or why there is none. What each answer took is added to ``spent``."""
        reply = Reply(None)
        for _ in range(_TRIES):
            started = time.perf_counter()
            answer = await self._answer(request)
            if isinstance(answer, str):
                return Reply(None, reply.failure or answer)
            completion = read_completion(answer.content, answer.secrets)
            reply, usage = keep(request, completion, self._cache, time.perf_counter() - started)
            spent.append(usage)
            self._doubt(usage, completion)
            if not completion.again:
                break
        return reply

    async def _answer(self, request: Request) -> Answer | str:
        """An answer with a good status, to whatever form of the request gets one; or why there is none."""
        answer, body = await self._send(request)
        while isinstance(answer, Answer) and not answer.is_good and self._forms.learn(answer, body):
            answer, body = await self._send(request)
        if isinstance(answer, str):
            return answer
        if answer.is_good:
            self._forms.took((), None)
            return answer
        for trial in self._forms.trials(answer, request.body):
            tried, _ = await self._send(request, trial)
            if isinstance(tried, Answer) and tried.is_good:
                self._forms.took(trial, answer)
                return tried
        if worth_retrying(answer) and answer.retries < self._config.max_retries:
            # Its parameters are not what is wrong: the server is, perhaps for a moment.
            last, _ = await self._send(request, patient=True)
            if isinstance(last, str) or last.is_good:
                return last
            answer = last
        return self._failure(answer)

    async def _send(
        self, request: Request, without: tuple[str, ...] = (), *, patient: bool = False
    ) -> tuple[Answer | str, dict[str, Any]]:
        body = self._forms.of(request.body, without)
        # A gateway that honours the key bills a request that came twice (a timeout, a kill) once.
        call = Call(_PATH, json=body, headers={"Idempotency-Key": request.key})
        try:
            answer = await self._transport.send(
                call, worth_retrying if patient else _only_busy if without else self._forms.worth_retrying
            )
        except NoAnswerError as error:
            if error.unreachable and not self._reached:
                raise unreachable(self._config, str(error)) from None
            return f"the server {error}", body
        if not answer.is_good and self._is_of_all(answer, body):
            raise refusal_of_all(self._config, answer)
        self._reached = self._reached or answer.is_good
        return answer, body

    def _is_of_all(self, answer: Answer, body: dict[str, Any]) -> bool:
        """Whether every other request would be refused like this one."""
        status = answer.status
        if status == 401 or (status == 429 and not worth_retrying(answer)):
            return True
        if self._reached:
            return False  # it has answered others: this is about one request, or about a moment
        if status in {404, 405}:
            return not any(name in answer.words.whole for name in OPTIONAL if name in body)
        return status == 402 or 300 <= status < 400 or (status == 403 and not is_filtered(answer))

    def _failure(self, answer: Answer) -> str:
        said, hint, setting = f"the server {answer.in_words}", "", self._config.setting
        if asks_for_too_long_a_reply(answer):
            hint = f" (lower {setting}.reply_tokens)"
        elif is_too_long(answer):
            hint = f" (lower corpus.chunk_tokens or {setting}.reply_tokens)"
        elif is_refusal(answer) and "response_format" in self._forms.of({"response_format": 0}):
            hint = (
                f" (if it is about the reply's form: {setting}.structured=never)"
                if "schema" in answer.words.whole
                else ""
            )
        elif answer.status == 429:
            hint = f" (lower {setting}.concurrency, or set {setting}.requests_per_minute)"
        return said + hint

    def _doubt(self, usage: Usage, completion: Completion) -> None:
        """Says once that the server's counts are not taken."""
        if not (self._doubted or usage.believed or completion.text is None):
            self._doubted = True
            capped = self._config.max_cost_usd is not None or self._config.max_tokens is not None
            logger.log(
                logging.WARNING if capped else logging.INFO,
                "%s gives no believable count of tokens: embft's estimates are counted instead, %d for a prompt and %d for "
                "its reply.",
                where(self._config),
                usage.prompt,
                usage.reply,
            )


def _only_busy(answer: Answer) -> bool:
    return answer.status == 429 and worth_retrying(answer)

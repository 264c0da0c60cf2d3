"""Other machines, as a local LLM's client sees them: who answers requests, if they are not answered here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from embft.config import QuestionsConfig
from embft.progress import progress
from embft.questions.budget import Budget
from embft.questions.chat_endpoint import Reply
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.questions.written import Written


class Writers(Protocol):
    """Other machines with an LLM."""

    def takes(self, name: str, requests: int) -> bool:
        """Whether so many requests are worth asking them, or work of that name was begun."""
        ...

    def replies(
        self, name: str, requests: Sequence[Request], is_missing: Callable[[Request], bool]
    ) -> Iterator[tuple[Request, Written]]:
        """Yields requests and what came of them, until none is missing; the next shard only when these are stored.

        Args:
            name: Of this work: the same for the same requests, whenever they are made.
            requests: All different, those included that were answered before.
            is_missing: Whether one has no reply yet.
        """
        ...


class Machines(Protocol):
    """Other machines (`embft.scaling.fleet.Fleet`)."""

    def with_llm(self, weights: Path, config: QuestionsConfig) -> Writers:
        """These machines with an LLM.

        Args:
            weights: Its GGUF file.
            config: How it is asked: how many requests at once, how long a reply may take.
        """
        ...


class AskedElsewhere:
    """Asks other machines, where there is enough to ask.

    Args:
        writers: The machines.
    """

    def __init__(self, writers: Writers) -> None:
        self._writers = writers
        self._asked = False

    def replies(self, requests: Sequence[Request], cache: ReplyCache, budget: Budget) -> dict[str, Reply]:
        """Request key to reply, of requests that have none stored; empty where they are too few.

        Requests for what an earlier round left open go to the same machines, however few they are: this one may have no LLM.
        A failure is not stored. Under a cap no more is asked than would fit if each reply were as long as it may be.
        """
        every = {request.key: request for request in requests}
        missing = [request for request in every.values() if cache.get(request.key) is None]
        fitting = {request.key for request in missing[: budget.room_for(missing)]}
        name = f"write-{hashlib.sha256(' '.join(every).encode()).hexdigest()[:16]}"
        if not fitting or not (self._asked or self._writers.takes(name, len(fitting))):
            return {}
        self._asked = True
        replies: dict[str, Reply] = {}

        def is_missing(request: Request) -> bool:
            return request.key in fitting and request.key not in replies and cache.get(request.key) is None

        with progress("questions", len(fitting), "requests") as work:
            for request, written in self._writers.replies(name, list(every.values()), is_missing):
                replies[request.key] = written.kept(request, cache, budget)
                work.note = f"{budget.tokens:,} tokens"
                work.advance()
        return replies

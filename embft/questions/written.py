"""What another machine made of requests to an LLM, as it comes back in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from embft import typed_json
from embft.questions.budget import Budget
from embft.questions.chat_endpoint import Reply
from embft.questions.chat_reply import text_fault
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.questions.usage import Usage, usage_of
from embft.services.body import JsonObject


@dataclass(frozen=True)
class Written:
    """What came of one request.

    Attributes:
        key: The request's.
        reply: As a reply cache stores it; None where it failed.
        failure: Why.
        tokens: Taken by a reply that failed; one that is stored says it itself.
    """

    key: str
    reply: JsonObject | None
    failure: str | None
    tokens: int

    @classmethod
    def of(cls, request: Request, reply: Reply, cache: ReplyCache) -> Written:
        """What a client made of it, with what it stored."""
        stored = cache.get(request.key) if reply.text is not None else None
        return cls(request.key, stored, reply.failure, 0 if stored else reply.tokens)

    def is_about(self, request: Request) -> bool:
        """Whether it is this request's, and whole."""
        usable = self.reply is not None and text_fault(self.reply.get("text")) is None
        return self.key == request.key and (usable or (self.reply is None and bool(self.failure)))

    def kept(self, request: Request, cache: ReplyCache, budget: Budget) -> Reply:
        """Stores a usable reply as if it had been written here, and counts it."""
        if self.reply is None:
            budget.note(Usage(self.tokens, 0, True))
            return Reply(None, self.failure, self.tokens)
        cache.put(request.key, request.keyed, self.reply)
        usage = usage_of(self.reply, request.body, self.reply["text"])
        budget.note(usage)
        return Reply(self.reply["text"], tokens=usage.total)


def lines_of(every: Sequence[Written]) -> bytes:
    """A line of JSON for each; any text, half a character included."""
    return "".join(json.dumps(asdict(one)) + "\n" for one in every).encode()


def read_lines(content: bytes) -> list[Written] | None:
    """Reads them; None where they are none."""
    try:
        return [typed_json.from_json(Written, json.loads(line)) for line in content.decode().split("\n")[:-1]]
    except ValueError:
        return None

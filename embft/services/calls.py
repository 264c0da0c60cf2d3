"""What is asked of a service, and what it answers: whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from embft.services.words import Words, read_words

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


class TooSlowError(NoAnswerError):
    """The deadline passed; the request may have been paid for."""


def worth_retrying(answer: Answer) -> bool:
    """Whether the same request may be answered otherwise in a moment."""
    if answer.status == 429 and any(word in answer.words.whole for word in _SPENT):
        return False
    return answer.status in {408, 409, 425, 429} or (answer.status >= 500 and answer.status not in {501, 505})

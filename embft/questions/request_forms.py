"""The form of a request that a server takes: without what it refused, by what its refusals say or by trying."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from embft.services.body import JsonObject
from embft.services.calls import Answer, worth_retrying
from embft.services.refusals import (
    asks_for_too_long_a_reply,
    is_about_model,
    is_filtered,
    is_too_long,
    refused_parameters,
)

logger = logging.getLogger(__name__)

OPTIONAL = ("response_format", "seed", "temperature", "max_tokens", "max_completion_tokens")
"""What a request can do without; the longest reply goes by its newer name, and then without."""
_TRIALS = (("response_format",), ("response_format", "seed", "temperature"))
_UNEXPLAINED = {400, 422, 500, 501, 502}


class Forms:
    """What one server takes; learnt from its answers, for the rest of a run.

    Args:
        server: Its name in a message.
        setting: Where its settings stand.
    """

    def __init__(self, server: str, setting: str = "questions") -> None:
        self._server, self._setting = server, setting
        self._refused: set[str] = set()
        self._proven = False

    def of(self, body: JsonObject, without: tuple[str, ...] = ()) -> dict[str, Any]:
        """The request without what the server refused before, and without what is left out as a trial."""
        left_out = self._refused.union(without)
        form = {name: value for name, value in body.items() if name not in left_out}
        if "max_tokens" in self._refused and "max_completion_tokens" not in left_out:
            form["max_completion_tokens"] = body["max_tokens"]
        return form

    def learn(self, answer: Answer, sent: JsonObject) -> bool:
        """Whether a refusal is about parameters that can be left out; then they are, from now on."""
        named = refused_parameters(answer, [name for name in OPTIONAL if name in sent])
        self._refused |= set(named)
        # Another request's refusal may have said so while this one was under way.
        return bool(named) or (answer.status in _UNEXPLAINED and any(name in self._refused for name in sent))

    def trials(self, answer: Answer, body: JsonObject) -> Iterator[tuple[str, ...]]:
        """What to leave out of a request whose refusal nothing explains, one after the other.

        Some servers answer 500 to every request with a schema, or refuse in words that do not name what they do not take.
        Nothing is tried once a whole request was answered.
        """
        explained = (
            is_too_long(answer) or asks_for_too_long_a_reply(answer) or is_filtered(answer) or is_about_model(answer)
        )
        if self._proven or explained or answer.status not in _UNEXPLAINED:
            return
        for trial in _TRIALS:
            if any(name in self.of(body) for name in trial) and not self._proven:
                yield trial

    def took(self, without: tuple[str, ...], refused: Answer | None) -> None:
        """A request was answered with something left out as a trial (or nothing: ``without`` is empty).

        Args:
            refused: The answer to the request with all in it.
        """
        if not without:
            self._proven = True
        elif not self._proven and not self._refused.issuperset(without):
            self._refused |= set(without)
            assert refused is not None
            mend = f" {self._setting}.structured=never saves the trial." if "response_format" in without else ""
            logger.warning(
                "%s %s, and takes the same request without %s: it is asked without from now on.%s",
                self._server,
                refused.in_words,
                " and ".join(without),
                mend,
            )

    def worth_retrying(self, answer: Answer) -> bool:
        """As `embft.services.calls.worth_retrying`; before anything was answered, 500 may be about a parameter."""
        if self._proven or answer.status not in _UNEXPLAINED:
            return worth_retrying(answer)
        return worth_retrying(answer) and answer.retries < 1

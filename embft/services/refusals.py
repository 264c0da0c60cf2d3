"""What a refusal is about: one request that is too long, a parameter that the server does not know, or everything."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embft.services.calls import Answer

_REFUSALS = {400, 404, 405, 406, 409, 413, 415, 422, 500, 501}


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.DOTALL)


_TOO_LONG = _any_of(
    r"context.{0,20}(?:length|window|size|limit)",
    r"(?:prompt|input|text|request|message|sequence|content)s?\b.{0,40}\btoo (?:long|large|big)",
    r"too long an? ",
    r"too (?:long|large|many).{0,30}tokens?",
    r"maximum.{0,40}tokens|token limit|string_too_long|longer than",
    r"reduce (?:the|your) (?:length|prompt|input|text)",
    r"exceed\w*.{0,60}(?:tokens?\b|context|sequence|length)",
    r"上下文|超[过出长].{0,12}(?:长度|限制|token)|长度.{0,8}超",
)
_TOO_MANY = _any_of(
    r"batch|批|too_long|max_?items",
    r"too many (?:inputs|items|texts|documents|elements|strings)",
    r"(?:at most|maximum of|up to|limit of) \d+ (?:items|inputs|texts|elements)",
    r"array.{0,30}(?:too (?:long|large)|maximum|exceed)",
    r"number of (?:inputs|texts|items)",
)
_REPLY_TOO_LONG = _any_of(
    r"max_(?:completion_|output_|new_)?tokens.{0,40}(?:too large|too high|exceed|less than|at most|must be|invalid|greater)",
    r"supports at most.{0,20}(?:completion|output) tokens",
)
_MODEL = _any_of(
    r"model.{0,80}(?:not (?:found|exist|available|supported|loaded|deployed)|does(?: not|n't) exist|unknown|invalid)",
    r"(?:unknown|invalid|no such|not a valid|unsupported|no) (?:embedding )?model",
    r"模型.{0,10}不",
)
_UNKNOWN = _any_of(
    r"unsupported|not support|unrecognized|unknown (?:param|arg|field)",
    r"extra_|extra (?:inputs|fields)|not permitted|unexpected",
)
_FILTERED = _any_of(
    r"content[_ ](?:filter|policy|management)|moderat|responsibleai|safety system",
    r"data_inspection|违规|敏感",
)
_SCHEMA = _any_of(
    r"json_?\s?schema|grammar|guided|structured[ _]outputs?|json[ _]mode|xgrammar|outlines|response format",
)


def is_refusal(answer: Answer) -> bool:
    """Whether the status says that this request is not wanted as it is, rather than now."""
    return answer.status in _REFUSALS


def is_too_long(answer: Answer) -> bool:
    """A prompt or text, with the reply that is asked for, beyond what the model takes: this request's own fault."""
    return answer.status == 413 or (is_refusal(answer) and bool(_TOO_LONG.search(answer.words.whole)))


def is_too_many(answer: Answer) -> bool:
    """More texts at once than the server takes."""
    return answer.status == 413 or (is_refusal(answer) and bool(_TOO_MANY.search(answer.words.whole)))


def asks_for_too_long_a_reply(answer: Answer) -> bool:
    """The longest reply that is asked for is beyond what the model gives, whatever the prompt."""
    whole = answer.words.whole
    return is_refusal(answer) and "context" not in whole and bool(_REPLY_TOO_LONG.search(whole))


def is_filtered(answer: Answer) -> bool:
    """What was sent offends the server's filter."""
    return answer.status in {400, 403, 422} and bool(_FILTERED.search(answer.words.whole))


def is_about_model(answer: Answer) -> bool:
    """The server does not know the model."""
    return bool(_MODEL.search(answer.words.whole)) or "model" in answer.words.names


def says_no_address(answer: Answer) -> bool:
    """A 404 or 405 about the address, not about a model at it."""
    whole = answer.words.whole
    return answer.status == 405 or ("model" not in whole and bool(re.search(r"not found|no route|cannot post", whole)))


def refused_parameters(answer: Answer, sent: Sequence[str]) -> list[str]:
    """The parameters of ``sent`` that the server will not have: those it points at, or else the one that it speaks of.

    A context that is too long is no refusal of ``max_tokens``, though it is spoken of.
    """
    if not is_refusal(answer) or is_filtered(answer):
        return []
    words = answer.words
    if (is_too_long(answer) or asks_for_too_long_a_reply(answer)) and not _UNKNOWN.search(words.whole):
        return []
    if pointed := [name for name in sent if name in words.names]:
        return pointed
    spoken = [(match.start(), name) for name in sent if (match := re.search(rf"\b{name}\b", words.whole))]
    if spoken:
        return [min(spoken)[1]]
    return ["response_format"] if "response_format" in sent and _SCHEMA.search(words.whole) else []

"""What a refusal is about: one request that is too long, a parameter that the server does not know, or everything."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embft.services.transport import Answer

_REFUSALS = {400, 404, 405, 406, 409, 413, 415, 422, 500, 501}
_TOO_LONG = re.compile(
    r"context.{0,20}(?:length|window|size|limit)|(?:prompt|input|text|request|message|sequence|content)s?\b.{0,40}\btoo (?:long|large|big)"
    r"|too long an? |too (?:long|large|many).{0,30}tokens?|maximum.{0,40}tokens|token limit|reduce (?:the|your) (?:length|prompt|input|text)"
    r"|exceed\w*.{0,60}(?:tokens?\b|context|sequence|length)|longer than|string_too_long|上下文|超[过出长].{0,12}(?:长度|限制|token)|长度.{0,8}超",
    re.DOTALL,
)
_TOO_MANY = re.compile(
    r"batch|too many (?:inputs|items|texts|documents|elements|strings)|(?:at most|maximum of|up to|limit of) \d+ (?:items|inputs|texts|elements)"
    r"|array.{0,30}(?:too (?:long|large)|maximum|exceed)|too_long|max_?items|number of (?:inputs|texts|items)|批",
    re.DOTALL,
)
_REPLY_TOO_LONG = re.compile(
    r"max_(?:completion_|output_|new_)?tokens.{0,40}(?:too large|too high|exceed|less than|at most|must be|invalid|greater)"
    r"|supports at most.{0,20}(?:completion|output) tokens",
    re.DOTALL,
)
_MODEL = re.compile(
    r"model.{0,80}(?:not (?:found|exist|available|supported|loaded|deployed)|does(?: not|n't) exist|unknown|invalid)"
    r"|(?:unknown|invalid|no such|not a valid|unsupported|no) (?:embedding )?model|模型.{0,10}不",
    re.DOTALL,
)
_UNKNOWN = re.compile(
    r"unsupported|not support|unrecognized|unknown (?:param|arg|field)|extra_|extra (?:inputs|fields)|not permitted|unexpected"
)
_FILTERED = re.compile(
    r"content[_ ](?:filter|policy|management)|moderat|responsibleai|safety system|data_inspection|违规|敏感"
)
_SCHEMA = re.compile(
    r"json_?\s?schema|grammar|guided|structured[ _]outputs?|json[ _]mode|xgrammar|outlines|response format"
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
    return is_refusal(answer) and bool(_REPLY_TOO_LONG.search(answer.words.whole))


def is_filtered(answer: Answer) -> bool:
    """What was sent offends the server's filter."""
    return answer.status in {400, 403, 422} and bool(_FILTERED.search(answer.words.whole))


def is_about_model(answer: Answer) -> bool:
    """The server does not know the model."""
    return bool(_MODEL.search(answer.words.whole)) or "model" in answer.words.names


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

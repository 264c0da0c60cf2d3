"""What a reply took, in tokens: the server's count where it can be believed, an estimate where it cannot."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from embft.services.body import JsonObject

_HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")
_CHARACTERS_A_TOKEN = 3.5
_MESSAGE_TOKENS = 12
"""What a chat adds to its text."""
_LEAST = 0.4
"""Share of the estimate below which a count is not believed. Text of dots or blanks takes fewer tokens than its characters
say, so such a prompt counts for more than it cost; a server that counts nothing cannot defeat a cap."""
_MOST = 2_000_000
"""Tokens that no model reads or writes at once."""


class Usage(NamedTuple):
    """Tokens of a request and its reply.

    Attributes:
        believed: Both are the server's own counts.
    """

    prompt: int
    reply: int
    believed: bool

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.reply


def usage_of(claim: Any, body: JsonObject, written: str) -> Usage:
    """What is counted for a reply: the server's figures, unless they are missing, no numbers, or beyond belief.

    Args:
        claim: The reply's ``usage``, or a stored reply.
        body: The request.
        written: What the model wrote as far as it was seen; what it thought unseen is in the server's count alone.
    """
    prompt, prompt_believed = _counted(claim, "prompt_tokens", tokens_of(body))
    reply, reply_believed = _counted(claim, "completion_tokens", text_tokens(written))
    return Usage(prompt, reply, prompt_believed and reply_believed)


def tokens_of(body: JsonObject) -> int:
    """Prompt tokens of a request, estimated: a CJK character is a token, so are 3.5 others. Vendors count by their own."""
    return text_tokens("".join(message["content"] for message in body["messages"])) + _MESSAGE_TOKENS


def text_tokens(text: str) -> int:
    """Tokens of a text, estimated."""
    cjk = len(_HAN.findall(text))
    return math.ceil(cjk + (len(text) - cjk) / _CHARACTERS_A_TOKEN)


def _counted(claim: Any, name: str, estimated: int) -> tuple[int, bool]:
    count = claim.get(name) if isinstance(claim, Mapping) else None
    if type(count) is not int or not estimated * _LEAST <= count <= _MOST:
        return estimated, False
    return count, True

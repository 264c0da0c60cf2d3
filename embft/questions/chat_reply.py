"""A chat completion taken apart: the text of a reply that can be used, or the reason why there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from embft.foreign_json import parse_json
from embft.services.body import JsonObject
from embft.services.words import read_words, shown, words_of

_DEEPEST = 64
"""Brackets within brackets in a reply; questions have a few."""
_LONGEST = 400_000
"""Characters of a reply; the longest that may be asked for has some 130,000."""
_REASONING = {"thinking", "reasoning", "reasoning_content", "thought", "redacted_thinking"}
_STOPPED = {
    "content_filter",
    "safety",
    "recitation",
    "blocklist",
    "prohibited_content",
    "spii",
    "sensitive",
    "error",
    "abort",
}
"""Reasons to finish that make what was written till then no reply."""
_CUT = {"length", "max_tokens", "model_length"}
_THOUGHT = re.compile(r"\s*(?:<(think|thinking|thought|reasoning|seed:think)>|\[(THINK)\])", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_RAISE = "raise questions.reply_tokens"
EMPTY = "an empty reply"


@dataclass(frozen=True)
class Completion:
    """What an answer holds.

    Attributes:
        text: Of a usable reply; None where there is none.
        failure: Why, in words for the user.
        again: Whether the same request may fare better at once: the answer holds no reply at all.
        usage: The server's count, unchecked; see `embft.questions.budget`.
        written: All that the model wrote as far as it can be seen, for an estimate of what it took.
    """

    text: str | None
    failure: str | None = None
    again: bool = False
    usage: Any = None
    written: str = ""


def read_completion(content: bytes, secrets: Sequence[str] = ()) -> Completion:
    """Reads the body of an answer with a good status."""
    try:
        body = parse_json(content)
    except ValueError:
        words = read_words(content[:65536], secrets)
        return Completion(None, f"the server's answer was no JSON{words.quoted}", again=True)
    return completion_of(body, secrets)


def completion_of(body: Any, secrets: Sequence[str] = ()) -> Completion:
    """The same of a body that was JSON; lines of a batch hold such bodies."""
    if not isinstance(body, dict):
        return Completion(None, "the server's answer held no reply", again=True)
    if error := body.get("error"):
        return Completion(None, f"the server answered with an error{_quoted(error, secrets)}", again=True)
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        words = words_of(body, secrets)
        return Completion(None, f"the server's answer held no reply{words.quoted}", again=True)
    return _of_choice(choice, body.get("usage"), secrets)


def _of_choice(choice: JsonObject, usage: Any, secrets: Sequence[str]) -> Completion:
    finish = str(choice.get("finish_reason") or "").lower()
    if error := choice.get("error"):
        return Completion(None, f"the server answered with an error{_quoted(error, secrets)}", again=True, usage=usage)
    message = choice.get("message")
    if not isinstance(message, dict):
        why = f" (finish_reason {shown(finish, secrets, 40)})" if finish else ""
        return Completion(None, f"the server's answer held no message{why}", usage=usage)
    text = _text(message.get("content"))
    refusal = _text(message.get("refusal"))
    reasoning = (
        next((_text(message[name]) for name in ("reasoning_content", "reasoning") if message.get(name)), "") or ""
    )
    written = f"{text or ''}{refusal or ''}{reasoning}"
    failure = _failure(text, refusal, finish, bool(reasoning), secrets)
    if failure is None and finish in _CUT:
        text = without_cut_line(text or "")
        failure = None if text else f"the reply was cut off before its first question ended: {_RAISE}"
    if failure is not None:
        # An error whose only trace is the reason to finish; gateways send it with an empty text.
        return Completion(None, failure, again=finish == "error", usage=usage, written=written)
    return Completion(clean(text or ""), usage=usage, written=written)


def _failure(text: str | None, refusal: str | None, finish: str, reasoned: bool, secrets: Sequence[str]) -> str | None:
    if refusal and refusal.strip():
        return f"the model refused: {shown(refusal, secrets)}"
    if finish in _STOPPED:
        return f"the server stopped the reply (finish_reason {finish})"
    if text is None:
        return "the reply was no text"
    fault = text_fault(text)
    if fault is None:
        return None
    if finish in _CUT:
        return f"the reply ran out of tokens before it said anything: {_RAISE}"
    if fault == EMPTY and finish in {"tool_calls", "function_call"}:
        return "the model called a tool instead of writing"
    if fault == EMPTY and reasoned:
        return f"the model thought and wrote nothing: {_RAISE}"
    return fault


def text_fault(text: Any) -> str | None:
    """What makes a text no reply, whether it comes or was stored: nothing in it, thoughts alone, or no end of brackets."""
    if not isinstance(text, str):
        return "the reply was no text"
    if not text.strip():
        return EMPTY
    if len(text) > _LONGEST:
        return f"a reply of {len(text):,} characters"
    if opening := _THOUGHT.match(text):
        end = "[/THINK]" if opening[2] else f"</{opening[1]}>"
        _, closed, rest = text.lower().rpartition(end.lower())
        if not closed:
            return f"the reply was cut off within the model's thoughts: {_RAISE}"
        if not rest.strip():
            return f"the reply held the model's thoughts alone: {_RAISE}"
    return "a reply of brackets within brackets" if _depth(text) > _DEEPEST else None


def without_cut_line(text: str) -> str:
    """A text that was cut off without its last line, where that is no whole one. A list in JSON is read as far as it goes."""
    whole = text.rstrip()
    if whole.endswith(("?", "？", ".", "。", "!", "！", '"', "”", "]", "}", "`")) or whole.lstrip().startswith(
        ("[", "{", "`")
    ):
        return whole
    return whole.rpartition("\n")[0].rstrip()


def clean(text: str) -> str:
    """A text that any file can hold: halves of a character (lone surrogates) as U+FFFD, no control characters."""
    return _CONTROL.sub(" ", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _text(content: Any) -> str | None:
    """Content as text; of a list of parts, those of text, not those of thoughts. None: it holds something else."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return None
    parts = []
    for part in content:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, dict) and part.get("type") not in _REASONING:
            text = part.get("text", "")
            if isinstance(text, dict):  # the Assistants API's form
                text = text.get("value", "")
            if not isinstance(text, str):
                return None
            parts.append(text)
        elif not isinstance(part, dict):
            return None
    return "".join(parts)


def _quoted(error: Any, secrets: Sequence[str]) -> str:
    return words_of(error, secrets).quoted


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest

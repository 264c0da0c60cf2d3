"""Ways in which a chat server can be wrong, each with what a user is to read, or ``RIGHT`` where questions come.

A mode answers what is asked about one passage of three; the others get a good reply. ``ALL`` are those that every request
meets: they stop the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fault_server import Answer, bomb, packed

RIGHT = "right questions"
KEY = "sk-sentinel-9912-chats"
Mode = Callable[[dict[str, Any], int], Answer]
"""A request and how many came before about this passage, to what is answered."""
USAGE = {"prompt_tokens": 120, "completion_tokens": 20, "total_tokens": 140}


def passage(body: dict[str, Any]) -> str:
    content = body["messages"][0]["content"]
    return next(line for line in content.splitlines() if line.startswith("Passage")).rstrip(".")


def text(body: dict[str, Any]) -> str:
    return f"1. What does {passage(body)} say?\n2. Who wrote {passage(body)}?"


def completion(message: Any, finish: Any = "stop", usage: Any = USAGE, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": finish, **more}
    return {"id": "r", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def good(body: dict[str, Any]) -> Answer:
    return Answer(completion({"role": "assistant", "content": text(body)}))


def content(value: Any, finish: Any = "stop", **more: Any) -> Mode:
    return lambda body, _: Answer(completion({"role": "assistant", "content": value, **more}, finish))


def whole(usage: Any) -> Mode:
    """A good reply with a strange count of tokens."""
    return lambda body, _: Answer(completion({"role": "assistant", "content": text(body)}, usage=usage))


def always(answer: Any, status: int = 200, **more: Any) -> Mode:
    made = answer if isinstance(answer, Answer) else Answer(answer, status, **more)
    return lambda body, _: made


def then(first: Answer) -> Mode:
    return lambda body, count: good(body) if count else first


def without(names: list[str], status: int, words: Callable[[str], Any]) -> Mode:
    """Refuses parameters, one after the other, in its own words."""

    def mode(body: dict[str, Any], _: int) -> Answer:
        name = next((name for name in names if name in body), None)
        return good(body) if name is None else Answer(words(name), status)

    return mode


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def bricks(part: Any) -> Mode:
    """The text in parts, and another part before them."""

    def mode(body: dict[str, Any], _: int) -> Answer:
        first, second = text(body).splitlines()
        parts = [part, {"type": "text", "text": first + "\n"}, {"type": "text", "text": second}]
        return Answer(completion({"role": "assistant", "content": parts}))

    return mode


LONG = "This model's maximum context length is 400 tokens. However, your messages and max_tokens=512 need 640 tokens."
HTML = (
    b"<!doctype html><html><head><title>Sign in</title><style>p{}</style></head><body><p>Hotel WiFi</p></body></html>"
)
THOUGHT = [{"type": "thinking", "thinking": [{"type": "text", "text": "What do they want?"}]}]
REPLY_TOKENS = r"raise questions\.reply_tokens"

MODES: dict[str, tuple[Mode, str]] = {
    # Bodies that are no completion, with a good status.
    "html": (always(HTML, kind="text/html"), "no JSON: Sign in"),
    "empty body": (always(b""), "no JSON"),
    "null": (always(b"null"), "held no reply"),
    "a list": (always([]), "held no reply"),
    "a string": (always(b'"What is it?"'), "held no reply"),
    "cut JSON": (lambda body, _: Answer(good(body).content[:-30]), "no JSON"),
    "no UTF-8": (always(b'{"choices": "\xff\xfe"}'), "no JSON"),
    "100,000 brackets": (always(b"[" * 100_000), "no JSON"),
    "a stream": (always(b'data: {"choices": [{"delta": {"content": "What?"}}]}\n\ndata: [DONE]\n\n'), "no JSON"),
    "an error with 200": (always(error(f"overloaded, key {KEY}")), r"error: overloaded, key \[key\]"),
    "an error in words": (always({"error": "no capacity"}), "error: no capacity"),
    "no choices": (always({"choices": []}), "held no reply"),
    "choices are null": (always({"choices": None, "detail": "worker died"}), "held no reply: worker died"),
    "choices are an object": (always({"choices": {"0": {}}}), "held no reply"),
    "a choice is null": (always({"choices": [None]}), "held no reply"),
    "a choice is text": (always({"choices": ["What is it?"]}), "held no reply"),
    # Choices that are no reply.
    "an error in the choice": (
        always(completion({"content": ""}, "error", error={"code": 502, "message": "Upstream error"})), "error: Upstream error",
    ),
    "an error in the choice, then well": (
        then(Answer(completion({"content": ""}, None, error={"message": "Upstream error"}))), RIGHT,
    ),
    "finish error": (content("", "error"), "finish_reason error"),
    "message is null": (always(completion(None, "content_filter")), "held no message .finish_reason content_filter"),
    "no message": (always({"choices": [{"index": 0, "text": "What?"}]}), "held no message"),
    "message is text": (always(completion("What is it?")), "held no message"),
    "a refusal": (content(None, refusal="I can't help with that."), "refused: I can't help with that"),
    "a refusal beside a text": (content("No.", refusal="Against the rules"), "refused: Against the rules"),
    "filtered": (content("", "content_filter"), "finish_reason content_filter"),
    "filtered half way": (content("1. What is", "content_filter"), "finish_reason content_filter"),
    "SAFETY": (content("", "SAFETY"), "finish_reason safety"),
    "length, empty": (content("", "length"), REPLY_TOKENS),
    "length, null, reasoning": (content(None, "length", reasoning_content="Okay, two questions"), REPLY_TOKENS),
    "length in a thought": (content("<think>Okay, two questions are wanted. What is", "length"), REPLY_TOKENS),
    "length in the first question": (content("1. What does the passage", "length"), REPLY_TOKENS),
    "length in a second question": (
        lambda body, count: Answer(completion({"content": text(body).splitlines()[1]}))
        if "exist already" in body["messages"][0]["content"]
        else Answer(completion({"content": text(body)[:-9]}, "length")), RIGHT,
    ),
    "stop in a thought": (content("<think>Okay, two questions"), REPLY_TOKENS),
    "a thought alone": (content("<think>Two questions.</think>\n"), REPLY_TOKENS),
    "reasoning alone": (content("", reasoning="Two questions."), REPLY_TOKENS),
    "empty": (content(""), "an empty reply"),
    "blanks": (content(" \n\t\n "), "an empty reply"),
    "null content": (content(None), "an empty reply"),
    "a tool call": (content(None, "tool_calls", tool_calls=[{"id": "1"}]), "called a tool"),
    # Content in other shapes.
    "content is a number": (content(17), "no text"),
    "content is true": (content(True), "no text"),
    "parts of numbers": (content([1, 2]), "no text"),
    "a part without text": (content([{"type": "text", "text": 3}]), "no text"),
    "no parts": (content([]), "an empty reply"),
    "parts of text": (bricks({"type": "text", "text": ""}), RIGHT),
    "a thought among the parts": (bricks(THOUGHT[0]), RIGHT),
    "a picture among the parts": (bricks({"type": "image_url", "image_url": {"url": "data:,"}}), RIGHT),
    "a part of a thought alone": (content(THOUGHT, "stop"), "an empty reply"),
    "half a character": (
        lambda body, _: Answer(completion({"content": text(body) + "\n\ud83d"})), RIGHT,
    ),
    "a NUL": (lambda body, _: Answer(completion({"content": "\x00" + text(body)})), RIGHT),
    "brackets in the text": (content("[" * 100_000), "brackets within brackets"),
    "braces in the text": (content('{"a":' * 5_000), "brackets within brackets"),
    "a text of 500,000 characters": (content("What is it? " * 42_000), "500,000|504,000 characters"),
    "two choices": (
        lambda body, _: Answer({**good(body).body, "choices": good(body).body["choices"] * 2}), RIGHT,
    ),
    # Counts of tokens.
    "no usage": (whole(None), RIGHT),
    "usage is text": (whole({"prompt_tokens": "many", "completion_tokens": "9"}), RIGHT),
    "usage is negative": (whole({"prompt_tokens": -5, "completion_tokens": -10**9}), RIGHT),
    "usage is a list": (whole([1, 2]), RIGHT),
    "usage is nothing": (whole({"prompt_tokens": 0, "completion_tokens": 0}), RIGHT),
    "usage is endless": (whole({"prompt_tokens": 1e308, "completion_tokens": 10**40}), RIGHT),
    "usage is true": (whole({"prompt_tokens": True, "completion_tokens": None}), RIGHT),
    # Refusals of a parameter, in the words of many servers.
    "OpenAI, gpt-5": (
        without(["max_tokens", "temperature"], 400, lambda name: error(
            f"Unsupported parameter: '{name}' is not supported with this model.", param=name)),
        RIGHT,
    ),
    "max_completion_tokens neither": (
        without(["max_tokens", "max_completion_tokens"], 400, lambda name: error(f"unknown parameter {name}", param=name)), RIGHT,
    ),
    "DeepSeek": (without(["response_format"], 400, lambda name: error("This response_format type is unavailable now")), RIGHT),
    "Mistral": (
        without(["seed"], 422, lambda name: {"object": "error", "message": {"detail": [
            {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 42}]}}), RIGHT,
    ),
    "FastAPI": (
        without(["seed", "response_format"], 422, lambda name: {"detail": [
            {"loc": ["body", name], "msg": "extra fields not permitted", "type": "value_error.extra"}]}), RIGHT,
    ),
    "plain text": (without(["temperature"], 400, lambda name: b"parameter temperature is not supported"), RIGHT),
    "a page": (without(["seed"], 400, lambda name: b"<html><body><h1>Bad request</h1>unknown field seed</body></html>"), RIGHT),
    "a gateway's quote": (
        without(["seed"], 400, lambda name: {"error": {"message": "Provider returned error", "code": 400, "metadata": {
            "raw": json.dumps({"error": {"message": "Unrecognized request argument supplied: seed"}})}}}), RIGHT,
    ),
    "501, grammar": (without(["response_format"], 501, lambda name: error("grammar is not implemented")), RIGHT),
    "404, OpenRouter": (
        without(["response_format"], 404, lambda name: error("No endpoints found that support parameter response_format")), RIGHT,
    ),
    # Refusals of one request.
    "too long": (always(error(LONG, code="context_length_exceeded"), 400), r"maximum context length.*corpus\.chunk_tokens"),
    "too long, 413": (always(b"<html><title>413 Request Entity Too Large</title></html>", 413), r"413.*corpus\.chunk_tokens"),
    "filtered prompt": (always(error("The prompt was filtered", code="content_filter"), 400), "400: The prompt was filtered"),
    "flagged": (always({"error": {"message": "Input was flagged", "code": 403}}, 403), "403: Input was flagged"),
    "500 in plain text": (always(b"CUDA out of memory", 500), "500: CUDA out of memory"),
    "502 page": (always(b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", 502), "502 Bad Gateway"),
    "429 for a day": (always(error("slow down"), 429, headers=(("Retry-After", "86400"),)), r"429: slow down.*concurrency"),
    "a key in the words": (always(error(f"bad token {KEY}\x1b[31m at {KEY[:8]}...{KEY[-4:]}"), 400), r"400: bad token \[key\]"),
    "words without end": (always(error("no " * 50_000), 400), "400: no no"),
    # Connections.
    "closed at once": (always(Answer(raw=b"")), "broke off the connection"),
    "no HTTP": (always(Answer(raw=b"220 mail ESMTP\r\n")), "broke off the connection"),
    "cut body": (lambda body, _: Answer(good(body).content[:50], says=5000), "broke off the connection"),
    "no answer": (lambda body, _: Answer(good(body).body, wait=0.29), "no whole answer within 0.2 s"),
    "a byte now and then": (lambda body, _: Answer(good(body).body, pace=0.05), "no whole answer within 0.2 s"),
    "a head now and then": (lambda body, _: Answer(good(body).body, pace=0.05, dribble=True), "no whole answer within 0.2 s"),
    "more than there is room for": (always(Answer(b" " * (1 << 19), chunked=True)), "sent more than 16 MiB"),
    "a gzip bomb": (always(bomb(64)), "sent more than 16 MiB"),
    "gzip": (lambda body, _: packed(good(body).body), RIGHT),
    "gzip that is none": (always(b"{}", headers=(("Content-Encoding", "gzip"),)), "cannot be unpacked"),
    "zstd": (always(b"(\xb5/\xfd", headers=(("Content-Encoding", "zstd"),)), "packed as 'zstd'"),
}  # fmt: skip

ALL: dict[str, tuple[Mode, str]] = {
    "401": (always(error(f"Incorrect API key provided: {KEY[:9]}***{KEY[-4:]}"), 401), r"refused the key in \$EMBFT_FAULT_KEY"),
    "402": (always(error("Insufficient Balance"), 402), "402: Insufficient Balance"),
    "403": (always({"message": "Forbidden"}, 403), "403: Forbidden"),
    "404 model": (always(error("model m does not exist"), 404), "has no model 'm'.*model m does not exist"),
    "404 Azure": (always(error("Resource not found", code="404"), 404), r"^((?!no model).)*Resource not found.*api-version"),
    "405": (always({"detail": "Method Not Allowed"}, 405), "no chat at this address.*Method Not Allowed"),
    "301": (always(Answer(b"", 301, (("Location", "https://other.example/v1"),))), "moved to https://other.example/v1"),
    "quota": (always(error("You exceeded your current quota", code="insufficient_quota"), 429), "429: You exceeded your current"),
    "html": (always(HTML), "3 of 3 requests.*no JSON: Sign in"),
    "cut by reasoning": (content("", "length"), rf"3 of 3 requests.*{REPLY_TOKENS}"),
    "refusals": (content(None, refusal="No."), "3 of 3 requests.*the model refused: No"),
    "500": (always(b"engine is dead", 500), "3 of 3 requests.*500: engine is dead"),
    "400 without words": (always(b"", 400), "3 of 3 requests.*answered 400"),
    "a reply too long": (
        always(error("max_tokens is too large: 512. This model supports at most 256 completion tokens"), 400),
        r"max_tokens is too large.*lower questions\.reply_tokens",
    ),
    "500 for every schema": (without(["response_format"], 500, lambda name: b"Internal Server Error"), RIGHT),
    "400 for every schema, unexplained": (without(["response_format"], 400, lambda name: b"bad"), RIGHT),
    "422 for more, unexplained": (without(["seed", "temperature"], 422, lambda name: {"code": 1210, "msg": "参数有误"}), RIGHT),
}  # fmt: skip

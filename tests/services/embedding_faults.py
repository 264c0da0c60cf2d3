"""Ways in which an embeddings server can be wrong, each with what a user is to read, or ``RIGHT`` where vectors come."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

from fault_server import Answer, bomb, packed

RIGHT = "right vectors"
KEY = "sk-sentinel-7731-embeddings"
LENGTH = 4
Mode = Callable[[list[str], int], Answer]
"""Texts of a request and how many requests came before, to what is answered."""


def vector(text: str) -> list[float]:
    return [float(len(text)), float(sum(text.encode()) % 97), 1.0, 0.5]


def rows(texts: list[str]) -> list[dict[str, Any]]:
    return [{"object": "embedding", "index": at, "embedding": vector(text)} for at, text in enumerate(texts)]


def reply(data: Any, **more: Any) -> dict[str, Any]:
    return {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}, **more}


def good(texts: list[str]) -> Answer:
    return Answer(reply(rows(texts)))


def last(value: Any) -> Mode:
    """The last text's vector is another."""
    return lambda texts, _: Answer(reply([*rows(texts)[:-1], {"index": len(texts) - 1, "embedding": value}]))


def said(text: str) -> Mode:
    """The last text's vector, written in a way that json.dumps does not."""

    def mode(texts: list[str], _: int) -> Answer:
        whole = json.dumps(reply([*rows(texts)[:-1], {"index": len(texts) - 1, "embedding": "HERE"}]))
        return Answer(whole.replace('"HERE"', text).encode())

    return mode


def indexed(*indexes: Any) -> Mode:
    return lambda texts, _: Answer(
        reply([{**row, "index": at} for row, at in zip(rows(texts), (indexes * len(texts))[: len(texts)], strict=True)])
    )


def renumbered(change: Callable[[int], Any]) -> Mode:
    return lambda texts, _: Answer(reply([{**row, "index": change(row["index"])} for row in rows(texts)]))


def longer(texts: list[str], _: int = 0) -> Answer:
    return Answer(reply([{**row, "embedding": [1.0] * 7} for row in rows(texts)]))


def always(answer: Answer) -> Mode:
    return lambda texts, _: answer


def refused(status: int, body: Any, **more: Any) -> Mode:
    return always(Answer(body, status, **more))


def above(limit: int, status: int, body: Any) -> Mode:
    """Refuses more texts than it takes."""
    return lambda texts, _: good(texts) if len(texts) <= limit else Answer(body, status)


def then(first: Answer | Mode, later: Mode = lambda texts, _: good(texts)) -> Mode:
    """One answer, then another kind."""

    def mode(texts: list[str], count: int) -> Answer:
        if count:
            return later(texts, count)
        return first if isinstance(first, Answer) else first(texts, count)

    return mode


def as_base64(texts: list[str], _: int) -> Answer:
    packed_rows = [base64.b64encode(struct.pack(f"<{LENGTH}f", *vector(text))).decode() for text in texts]
    return Answer(reply([{"index": at, "embedding": text} for at, text in enumerate(packed_rows)]))


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def detail(place: str, message: str, kind: str = "value_error") -> dict[str, Any]:
    return {"detail": [{"type": kind, "loc": ["body", place], "msg": message}]}


HTML = (
    b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Hotel WiFi</h1><script>x</script></body></html>"
)
NO_NUMBERS = "not a flat list of numbers"
NOWHERE = "point nowhere"
NUMBERING = "numbered its vectors otherwise"

MODES: dict[str, tuple[Mode, str]] = {
    # Bodies that are no embeddings at all, with a good status.
    "html": (always(Answer(HTML, kind="text/html")), "no JSON: Sign in"),
    "empty body": (always(Answer(b"")), "no JSON"),
    "null": (always(Answer(b"null")), "without a list of vectors"),
    "a list": (lambda texts, _: Answer([vector(text) for text in texts]), "without a list of vectors"),
    "a number": (always(Answer(b"17")), "without a list of vectors"),
    "a string": (always(Answer(b'"ok"')), "without a list of vectors"),
    "bytes": (always(Answer(b"\xff\xfe\x00\x81" * 50)), "no JSON"),
    "cut JSON": (lambda texts, _: Answer(good(texts).content[:-40]), "no JSON"),
    "100,000 brackets": (always(Answer(b"[" * 100_000)), "no JSON"),
    "an error with 200": (always(Answer(error(f"no quota left for {KEY}"))), r"said: no quota left for \[key\]"),
    "data is null": (always(Answer(reply(None))), "without a list of vectors"),
    "data is an object": (lambda texts, _: Answer(reply({"0": vector(texts[0])})), "without a list of vectors"),
    "a stream": (always(Answer(b'data: {"data": []}\n\n', kind="text/event-stream")), "no JSON"),
    # Too few, too many, in no order.
    "no vectors": (always(Answer(reply([]))), "gave 0 vectors for"),
    "one too few": (lambda texts, _: Answer(reply(rows(texts)[:-1])), "gave 3 vectors for 4 texts"),
    "one too many": (lambda texts, _: Answer(reply(rows([*texts, "x"]))), "gave 5 vectors for 4 texts"),
    "rows are null": (lambda texts, _: Answer(reply([None] * len(texts))), NUMBERING),
    "bare vectors": (lambda texts, _: Answer(reply([vector(text) for text in texts])), NUMBERING),
    "no index": (lambda texts, _: Answer(reply([{"embedding": vector(text)} for text in texts])), NUMBERING),
    "one index twice": (indexed(0), NUMBERING),
    "indexes from 1": (renumbered(lambda at: at + 1), NUMBERING),
    "negative indexes": (renumbered(lambda at: -at), NUMBERING),
    "indexes as text": (renumbered(lambda at: str(at)), NUMBERING),
    "indexes are true": (indexed(False, True), NUMBERING),
    "indexes are 0.0": (renumbered(lambda at: float(at)), NUMBERING),
    "huge indexes": (indexed(10**30), NUMBERING),
    "backwards": (lambda texts, _: Answer(reply(rows(texts)[::-1])), RIGHT),
    # Vectors that are none.
    "NaN": (said("[NaN, 1, 1, 1]"), NOWHERE),
    "infinity": (said("[1, -Infinity, 1, 1]"), NOWHERE),
    "1e999": (said("[1e999, 1, 1, 1]"), NOWHERE),
    "beyond float32": (said("[1e39, 1, 1, 1]"), NOWHERE),
    "no length in float32": (said("[1e30, 1e30, 1, 1]"), NOWHERE),
    "400 digits": (said(f"[{'9' * 400}, 1, 1, 1]"), "too large"),
    "5,000 digits": (said(f"[{'9' * 5000}, 1, 1, 1]"), "no JSON"),
    "zeros": (last([0.0] * LENGTH), NOWHERE),
    "null vector": (last(None), "empty vector, or none"),
    "null members": (last([1.0, None, 1.0, 1.0]), NO_NUMBERS),
    "true members": (last([True, 1.0, 1.0, 1.0]), NO_NUMBERS),
    "text members": (last(["1.0", "1.0", "1.0", "1.0"]), NO_NUMBERS),
    "nested": (last([[1.0, 1.0, 1.0, 1.0]]), NO_NUMBERS),
    "token vectors": (last([[1.0] * LENGTH] * LENGTH), NO_NUMBERS),
    "an object": (last({"float": [1.0] * LENGTH}), "empty vector, or none"),
    "an empty vector": (last([]), "empty vector, or none"),
    "base64": (as_base64, "base64"),
    "shorter last": (last([1.0]), "different lengths"),
    "longer last": (last([1.0] * 5), "different lengths"),
    "length changes": (
        then(lambda texts, _: good(texts), longer),
        "of 7 numbers|of 4 numbers",
    ),
    "NaN for the second batch": (then(lambda texts, _: good(texts), said("[NaN, 1, 1, 1]")), NOWHERE),
    # Refusals, in the words of many servers.
    "401 with the key": (refused(401, error(f"Incorrect API key provided: {KEY[:9]}****{KEY[-4:]}")), "refused the key"),
    "403": (refused(403, {"message": "Forbidden for your region"}), "403: Forbidden for your region"),
    "404 model": (refused(404, error("model m does not exist")), "model m does not exist"),
    "404 page": (refused(404, HTML, kind="text/html"), "no embeddings at this address.*Sign in"),
    "402": (refused(402, error("Insufficient Balance")), "402: Insufficient Balance.*account"),
    "405": (refused(405, {"detail": "Method Not Allowed"}), "Method Not Allowed"),
    "302": (refused(302, b"", headers=(("Location", "https://other.example/v1"),)), "moved to https://other.example/v1"),
    "quota": (refused(429, error("You exceeded your current quota", code="insufficient_quota")), "exceeded your current quota"),
    "busy for a day": (refused(429, error("slow down"), headers=(("Retry-After", "86400"),)), "429: slow down"),
    "500 in plain text": (refused(500, b"CUDA out of memory", kind="text/plain"), "500: CUDA out of memory"),
    "502 page": (refused(502, b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"), "502 Bad Gateway"),
    "503 null": (refused(503, b"null"), "answered 503"),
    "unknown model": (refused(400, error("Unknown model 'm'")), "Unknown model 'm'"),
    "413 for 2": (above(2, 413, b"Payload Too Large"), RIGHT),
    "422 for 2, TEI": (above(2, 422, {"error": "batch size 4 > maximum allowed batch size 2", "error_type": "V"}), RIGHT),
    "400 for 2, DashScope": (
        above(2, 400, error("<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be "
                            "larger than 2.: input.contents")), RIGHT,
    ),
    "422 for 2, FastAPI": (above(2, 422, detail("input", "List should have at most 2 items", "too_long")), RIGHT),
    "400 for 2, unexplained": (above(2, 400, b""), RIGHT),
    "500 for 2, llama.cpp": (
        above(2, 500, {"error": {"message": "input is too large to process. increase the physical batch size"}}), RIGHT,
    ),
    "400 for 1, Chinese": (above(1, 400, {"code": 400, "msg": "批量大小超过限制"}), RIGHT),
    "always 413": (refused(413, HTML, kind="text/html"), r"413: Sign in.*max_tokens"),
    "a text too long": (
        lambda texts, _: Answer(error("This model's maximum context length is 512 tokens, however you requested 600"), 400)
        if any(len(text) > 5 for text in texts) else good(texts),
        r"maximum context length.*max_tokens",
    ),
    "no encoding_format": (
        lambda texts, _: good(texts), RIGHT,  # the server of the test refuses the parameter, see STRICT
    ),
    # Connections.
    "closed at once": (always(Answer(raw=b"")), "broke off the connection"),
    "no HTTP": (always(Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n")), "broke off the connection"),
    "cut body": (always(Answer(b'{"data": [', says=5000)), "broke off the connection"),
    "cut off, then well": (then(Answer(b'{"data": [', says=5000)), "broke off the connection"),
    "no answer": (lambda texts, _: Answer(reply(rows(texts)), wait=0.29), "no whole answer within 0.2 s.*timeout_seconds"),
    "a byte now and then": (lambda texts, _: Answer(reply(rows(texts)), pace=0.05), "no whole answer within 0.2 s"),
    "a head now and then": (lambda texts, _: Answer(reply(rows(texts)), pace=0.05, dribble=True), "no whole answer within 0.2 s"),
    "chunks without end": (always(Answer(b" ", chunked=True, pace=0.005)), "no whole answer within 0.2 s"),
    "more than there is room for": (always(Answer(b" " * (1 << 16), chunked=True)), "sent more than 1 MiB"),
    "a gzip bomb": (always(bomb(64)), "sent more than 1 MiB"),
    "gzip": (lambda texts, _: packed(reply(rows(texts))), RIGHT),
    "deflate": (lambda texts, _: packed(reply(rows(texts)), "deflate"), RIGHT),
    "raw deflate": (lambda texts, _: packed(reply(rows(texts)), "raw deflate"), RIGHT),
    "gzip in two": (lambda texts, _: packed(reply(rows(texts)), "two"), RIGHT),
    "gzip that is none": (always(Answer(b"{}", headers=(("Content-Encoding", "gzip"),))), "cannot be unpacked"),
    "gzip cut off": (
        lambda texts, _: Answer(packed(reply(rows(texts))).content[:-12], headers=(("Content-Encoding", "gzip"),)),
        "ends in its middle",
    ),
    "brotli": (always(Answer(b"\x0b\x02\x80", headers=(("Content-Encoding", "br"),))), "packed as 'br'"),
    "a BOM": (lambda texts, _: Answer(b"\xef\xbb\xbf" + good(texts).content), RIGHT),
    "once wrong, then right": (then(Answer(HTML)), RIGHT),
}  # fmt: skip
STRICT = "no encoding_format"

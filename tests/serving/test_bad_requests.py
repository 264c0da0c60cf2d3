"""Bad requests end in a sentence that OpenAI's client shows, whatever is wrong with them, and the server goes on."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from conftest_serving import TOKEN

pytestmark = pytest.mark.slow
KEY = {"authorization": f"Bearer {TOKEN}"}
MEGABYTE = 1 << 20
"""What the server of these tests takes at most."""


@pytest.fixture(scope="module")
def client(server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=TOKEN, max_retries=0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"input": [1, 2, 3]}, "token numbers"),
        ({"input": [[1, 2], [3]]}, "check_embedding_ctx_length=False"),
        ({"input": []}, "neither a text nor a list"),
        ({"input": ""}, "input is empty"),
        ({"input": ["a", " \n"]}, r"input\[1\] is empty"),
        ({"input": [None]}, r"input\[0\] is no text"),
        ({"input": {"text": "a"}}, "neither a text nor a list"),
        ({"input": "a", "dimensions": 16}, "no vectors of 16 numbers: its vectors have 32"),
        ({"input": "a", "dimensions": -1}, "no vectors of -1"),
        ({"input": "a", "dimensions": "16"}, "no vectors of '16'"),
        ({"input": "a", "encoding_format": "int8"}, "only float and base64"),
        ({"input": "a", "model": "tuned_document"}, "There is no model 'tuned_document'"),
        ({"input": "a", "extra_body": {"input_type": "poem"}}, "only query and document"),
        ({"input": ["a"] * 2049}, "2,048 may come"),
    ],
)
def test_openai_s_client_shows_what_is_wrong(client, asked, said):
    with pytest.raises(openai.BadRequestError) as raised:
        client.embeddings.create(**{"model": "text-embedding-ada-002", **asked})
    assert re.search(said, str(raised.value)), raised.value
    assert raised.value.param in ("input", "dimensions", "encoding_format", "model", "input_type")


def test_openai_s_client_shows_which_key_and_which_place_are_wrong(server, client):
    with pytest.raises(openai.AuthenticationError, match="needs its token"):
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="wrong").embeddings.create(model="x", input="a")
    with pytest.raises(openai.NotFoundError, match=r"nothing at /v1/chat/completions. There is POST /v1/embeddings"):
        client.chat.completions.create(model="x", messages=[{"role": "user", "content": "a"}])
    with pytest.raises(openai.APIStatusError, match="more than 1,048,576 bytes") as raised:
        client.embeddings.create(model="x", input="word " * MEGABYTE)
    assert raised.value.status_code == 413


def parts(count: int) -> Iterator[bytes]:
    """A body without a length, beyond the limit."""
    yield b'{"input": "'
    for _ in range(count):
        yield b"a" * 65536


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        ({"content": b""}, 400, "no JSON"),
        ({"content": b"input=a"}, 400, "no JSON"),
        ({"content": b'{"input": "a", "dimensions": NaN}'}, 400, "no vectors of nan numbers"),
        ({"content": b'{"input": "a", "dimensions": 1e999}'}, 400, "no vectors of inf numbers"),
        ({"content": b'{"input": ' + b"9" * 5000 + b"}"}, 400, "no JSON"),
        ({"content": b'{"input": "\xe9"}'}, 400, "no JSON in UTF-8"),
        ({"content": b'{"input": "a", "model": null}'}, 400, "model is no text"),
        ({"content": b'{"input": true}'}, 400, "neither a text nor a list"),
        ({"content": gzip.compress(b'{"input": "a"}'), "headers": {"content-encoding": "gzip"}}, 415, "is compressed"),
        ({"content": parts(64)}, 413, "more than 1,048,576 bytes"),
        ({"content": b"a" * (64 * MEGABYTE)}, 413, "more than 1,048,576 bytes"),
        ({"method": "GET"}, 405, "does not take GET"),
        ({"method": "OPTIONS"}, 405, "does not take OPTIONS"),
        ({"method": "PUT", "content": b"{}"}, 405, "does not take PUT"),
        ({"method": "GET", "url": "/search?query="}, 400, "query is empty"),
        ({"method": "GET", "url": "/search"}, 400, "Give either"),
        ({"method": "GET", "url": "/search?query=a&top_k=many"}, 400, "top_k is no whole number"),
        ({"method": "GET", "url": "/search?query=a&text=maybe"}, 400, "neither true nor false"),
        ({"method": "GET", "url": "/search?query=a&topk=3"}, 400, "Did you mean 'top_k'"),
        ({"method": "GET", "url": "/etc/passwd"}, 404, "There is nothing at /etc/passwd"),
    ],
)
def test_plain_http_is_answered_in_words(server, request_, status, said):
    asked: dict[str, Any] = {"method": "POST", "url": "/v1/embeddings", **request_}
    with httpx.Client(base_url=server.url, headers=KEY, timeout=60) as asking:
        answer = asking.request(**asked)
    assert (answer.status_code, said in answer.json()["error"]["message"]) == (status, True), answer.text


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 300,  # TLS
        b"POST /search HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\n",
        b"POST /search HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc",
        b"GET /health HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 4_000_000 + b"\r\n\r\n",
        b"GET /health HTTP/9\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_no_answer_but_a_refusal_and_the_server_goes_on(server, sent):
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            head = connection.recv(65536)
        except OSError:  # refused before all of it had come
            head = b""
    assert head == b"" or re.match(rb"HTTP/1.1 4\d\d", head), head[:200]
    assert httpx.get(f"{server.url}/health", timeout=60).status_code == 200
    assert httpx.head(f"{server.url}/health", timeout=60).content == b""

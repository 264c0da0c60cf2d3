"""A request's head is bounded, whichever parser reads it; what comes in pieces, and one after the other, is read."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from embft.serving.listening import listen
from embft.serving.reading_http import protocol


@pytest.fixture(scope="module", params=["httptools", "h11"])
def address(request) -> Iterator[tuple[str, int]]:
    async def length(asked):
        return PlainTextResponse(str(len(await asked.body())))

    reading = protocol() if request.param == "httptools" else "h11"
    app = Starlette(routes=[Route("/", length, methods=["POST"])])
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(app, http=reading, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


def told(address: tuple[str, int], *pieces: bytes) -> bytes:
    """Sends pieces, and reads until the server closes."""
    answer = b""
    with socket.create_connection(address, timeout=30) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.01)
            while part := connection.recv(65536):
                answer += part
        except ConnectionError:  # closed before all of it had come
            pass
    return answer


def test_a_head_that_does_not_end_is_refused(address):
    answer = told(address, b"POST / HTTP/1.1\r\nhost: a\r\nx: ", *([b"a" * 65536] * 40))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def test_bodies_are_not_heads_and_each_request_has_a_head_of_its_own(address):
    large = b"POST / HTTP/1.1\r\nhost: a\r\nx: " + b"h" * 40_000 + b"\r\ncontent-length: 300000\r\n\r\n"
    last = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\n"
    answer = told(address, large, b"b" * 150_000, b"b" * 150_000, large, b"b" * 300_000, last[:20], last[20:], b"bb")
    assert [answer.count(b"HTTP/1.1 200"), answer.count(b"300000")] == [3, 2]
    assert answer.endswith(b"\r\n\r\n2")

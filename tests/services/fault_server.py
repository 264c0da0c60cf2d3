"""A server on this machine that answers as it is told, also with what is no HTTP, at any pace, and packed."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What is sent.

    Attributes:
        body: Bytes as they are, or a value that becomes JSON.
        pace: Seconds between single bytes of the body; the deadline of a test is shorter than the whole.
        dribble: Also send the head like that.
        wait: Seconds before anything is sent.
        says: The length that the head claims; None: the true one.
        chunked: Send in chunks without an end, until the client goes.
        raw: Sent in place of any HTTP; empty: the connection is closed without a word.
    """

    body: Any = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pace: float = 0.0
    dribble: bool = False
    wait: float = 0.0
    says: int | None = None
    chunked: bool = False
    raw: bytes | None = None
    kind: str = "application/json"

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Seen:
    """What came in: path with query, headers, body."""

    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.requests]


def packed(value: Any, encoding: str = "gzip") -> Answer:
    plain = json.dumps(value).encode()
    raw = zlib.compressobj(wbits=-15)
    made = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "raw deflate": raw.compress(plain) + raw.flush(),
        "two": gzip.compress(plain[: len(plain) // 2]) + gzip.compress(plain[len(plain) // 2 :]),
    }[encoding]
    name = "deflate" if "deflate" in encoding else "gzip"
    return Answer(made, headers=(("Content-Encoding", name),))


def bomb(megabytes: int) -> Answer:
    """Zeros that take a thousandth of their size to send."""
    squeezer = zlib.compressobj(9, wbits=31)
    block = b" " * (1 << 20)
    sent = b"".join(squeezer.compress(block) for _ in range(megabytes)) + squeezer.flush()
    return Answer(sent, headers=(("Content-Encoding", "gzip"),))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that had enough is no news."""


@contextmanager
def serving(answer: Callable[[Any, int], Answer], port: int = 0) -> Iterator[tuple[str, Seen]]:
    """Runs a server whose ``answer`` is given a request's body and how many came before. Yields its base URL and log."""
    seen, lock = Seen(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(sent) if sent.startswith(b"{") else sent
            with lock:
                count = len(seen.requests)
                seen.requests.append((self.path, dict(self.headers), body))
            try:
                self.give(answer(body, count))
            except OSError:
                self.close_connection = True

        do_GET = do_POST  # noqa: N815

        def give(self, given: Answer) -> None:
            time.sleep(given.wait)
            if given.raw is not None:
                self.wfile.write(given.raw)
                self.close_connection = True
                return
            content = given.content
            length = "Transfer-Encoding: chunked" if given.chunked else f"Content-Length: {given.says or len(content)}"
            lines = [f"HTTP/1.1 {given.status} X", f"Content-Type: {given.kind}", length]
            head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in given.headers)]) + "\r\n\r\n"
            self.slowly(head.encode(), given.pace if given.dribble else 0.0)
            if given.chunked:
                piece = b"%x\r\n%s\r\n" % (len(content), content)
                for _ in range(4000):
                    self.slowly(piece, 0.0)
                    time.sleep(given.pace)
            self.slowly(content, given.pace)
            if given.says is not None:
                self.close_connection = True

        def slowly(self, content: bytes, pace: float) -> None:
            if not pace:
                self.wfile.write(content)
                return
            for place in range(len(content)):
                self.wfile.write(content[place : place + 1])
                time.sleep(pace)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = _Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()

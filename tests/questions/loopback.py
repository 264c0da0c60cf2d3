"""A chat completions server on this machine that can misbehave, and writes down all that it was asked and gave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One request: when it came, under which idempotency key, and whether a whole reply went out for it."""

    time: float
    key: str
    passage: str
    delivered: bool


@dataclass(frozen=True)
class Answer:
    """What the server does: waits, then sends; ``cut`` sends the first half of the body as if it were all,
    ``drop`` nothing."""

    text: str = ""
    status: int = 200
    wait: float = 0.0
    cut: bool = False
    drop: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def passage_of(body: dict[str, Any]) -> str:
    """The line of the prompt that begins with Passage."""
    content = body["messages"][0]["content"]
    return next((line for line in content.splitlines() if line.startswith("Passage")), content[-40:])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


@contextmanager
def serving(answer: Callable[[str, dict[str, Any]], Answer]) -> Iterator[tuple[str, list[Entry]]]:
    """Runs a server whose ``answer`` is given a passage and the whole request. Yields its base URL and its log."""
    log: list[Entry] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            came = time.time()
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            passage = passage_of(body)
            given = answer(passage, body)
            time.sleep(given.wait)
            payload = completion(given.text) if given.status == 200 else b'{"error": {"message": "no"}}'
            if given.cut:
                payload = payload[: len(payload) // 2]
            delivered = given.status == 200 and not given.cut and not given.drop
            try:
                if given.drop:
                    raise OSError
                self.send_response(given.status)
                for name, value in (("Content-Type", "application/json"), *given.headers):
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)
            except OSError:
                delivered, self.close_connection = False, True
            log.append(Entry(came, self.headers.get("Idempotency-Key", ""), passage, delivered))

        def log_message(self, *arguments: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", log
    finally:
        server.shutdown()
        server.server_close()


def completion(text: str) -> bytes:
    """The body of a chat completion that says ``text``."""
    return json.dumps(
        {
            "id": "r",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100},
        }
    ).encode()

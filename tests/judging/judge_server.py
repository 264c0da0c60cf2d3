"""A chat server that grades: it knows which chunks are relevant, and errs at a set rate, always in the same places."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def errs(prompt: str, rate: float) -> bool:
    """Whether the judge errs about this prompt."""
    return int(hashlib.sha256(prompt.encode()).hexdigest()[:8], 16) / 2**32 < rate


@contextmanager
def judging(truth: Callable[[str, str], int], rate: float = 0.0, wait: float = 0.0) -> Iterator[tuple[str, list[str]]]:
    """Runs the judge. ``truth`` is given question and passage. Yields its base URL and the prompts that were answered."""
    log: list[str] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            prompt = body["messages"][0]["content"]
            question = re.search(r"(?:Question: |问题：)(.*)", prompt)[1]
            passage = re.search(r"(?:Passage|段落)[:：]\n(.*?)\n\n", prompt, re.DOTALL)[1]
            grade = truth(question, passage)
            if errs(prompt, rate):
                grade = 0 if grade >= 2 else 3
            time.sleep(wait)
            with lock:
                log.append(prompt)
            message: dict[str, Any] = {"role": "assistant", "content": json.dumps({"grade": grade})}
            usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": 6, "total_tokens": len(prompt) // 4 + 6}
            payload = json.dumps(
                {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
            ).encode()
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)
            except OSError:
                self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that was killed is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", log
    finally:
        server.shutdown()
        server.server_close()

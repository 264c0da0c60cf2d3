"""An OpenAI-compatible embeddings server on this machine, whose vectors are a real model's; it writes down what it is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Sent:
    """What came in: each text with the model that was asked for, in order; and which keys."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Sent]]:
    """Serves the vectors of the model in ``folder``, whatever model is asked for. Yields the base URL and what was sent."""
    from sentence_transformers import SentenceTransformer

    model, lock, sent = SentenceTransformer(str(folder), device="cpu"), threading.Lock(), Sent()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                sent.texts.extend((body["model"], text) for text in body["input"])
                sent.keys.add(self.headers["Authorization"].removeprefix("Bearer "))
                vectors = model.encode(body["input"]).tolist()
            data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
            reply: dict[str, Any] = {"object": "list", "model": body["model"], "data": data}
            payload = json.dumps({**reply, "usage": {"prompt_tokens": 1, "total_tokens": 1}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", sent
    finally:
        server.shutdown()
        server.server_close()

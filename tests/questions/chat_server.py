"""A chat completions server of pytest-httpserver, chunks to ask it about and its usual answers."""

from __future__ import annotations

import json
from typing import Any

from loopback import completion
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from embft.config import QuestionsConfig
from embft.records import Chunk

KEY = "sk-sentinel-8893-never-stored"
PATH = "/v1/chat/completions"


def config(server: HTTPServer, **changes: Any) -> QuestionsConfig:
    settings = {"base_url": server.url_for("/v1"), "api_key_env": "EMBFT_TEST_KEY", "max_retries": 2, "model": "m"}
    return QuestionsConfig(name="openai", backend="openai", **{**settings, **changes})


def chunks(count: int) -> list[Chunk]:
    return [Chunk(f"c{place}", f"Passage number {place}.", "doc", 1, 0, 20) for place in range(count)]


def passage(request: Request) -> str:
    """The passage that a request is about."""
    content = json.loads(request.data)["messages"][0]["content"]
    return next(line for line in content.splitlines() if line.startswith("Passage"))


def reply(text: str) -> Response:
    return Response(completion(text), content_type="application/json")


def two_about(request: Request) -> Response:
    name = passage(request).rstrip(".")
    return reply(f"1. What does {name} say?\n2. Who wrote {name}?")


def refusal(status: int, **headers: str) -> Response:
    return Response(json.dumps({"error": {"message": "no"}}), status, headers, content_type="application/json")


def serve(server: HTTPServer, handler: Any) -> None:
    server.expect_request(PATH, method="POST").respond_with_handler(handler)

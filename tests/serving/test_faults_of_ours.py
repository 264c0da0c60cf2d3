"""A fault of the server's own, and a client that leaves or dawdles, end in OpenAI's form or in nothing; the server goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from embft.errors import EndpointError
from embft.serving import sources
from embft.serving.app import Limits, Service
from embft.serving.gauges import Gauges
from embft.serving.requests import ServedModel

LIMITS = Limits()


def service(limits: Limits = LIMITS) -> Service:
    def work(kind: Any, items: Any) -> Any:
        raise RuntimeError("out of memory at 0x7f")

    engine: Any = SimpleNamespace(work=work, served=ServedModel("tuned", 8, (), True))
    return Service(engine, Gauges(), limits)


def test_a_fault_of_the_model_is_an_error_in_openais_form_without_a_traceback():
    with TestClient(service().app(), raise_server_exceptions=False) as client:
        for _ in range(2):
            answer = client.post("/v1/embeddings", json={"input": "a"})
            assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")
            assert "0x7f" not in answer.text
        assert 'status="500"} 2' in client.get("/metrics").text


def answered(receive: Callable[[], Awaitable[Any]], limits: Limits = LIMITS) -> list[Any]:
    """What is sent to a client whose body comes like this."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/embeddings", "headers": [], "query_string": b""}
    asyncio.run(service(limits).app()(scope, receive, send))
    return sent


def test_a_client_that_leaves_within_its_body_is_no_fault():
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    assert answered(receive)[0]["status"] == 400


def test_a_client_that_sends_a_byte_now_and_then_loses_its_place():
    async def receive() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    head, body = answered(receive, Limits(patience=0.1))
    assert (head["status"], (b"connection", b"close") in head["headers"]) == (408, True)
    assert b"did not come within 0.1 seconds" in body["body"]


def test_a_compressed_body_is_refused_in_words():
    with TestClient(service().app()) as client:
        answer = client.post("/search", content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
        assert (answer.status_code, "is compressed" in answer.json()["error"]["message"]) == (415, True)


@pytest.mark.parametrize("content", [7, {"data": []}])
def test_an_embed_endpoint_that_gives_no_list_is_refused_in_words(monkeypatch, content):
    import httpx

    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=content)))
    monkeypatch.setattr(httpx, "Client", lambda **settings: client)
    ask = sources.from_endpoint("http://127.0.0.1:1/embed", "m", "m", ("", ""), None)
    with pytest.raises(EndpointError, match="without a list of vectors"):
        ask(["a"], True)

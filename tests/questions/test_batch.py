"""A Batch API on this machine: the same replies for the same requests, and no batch is sent twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from embft.config import QuestionsConfig
from embft.errors import EndpointError, QuestionError
from embft.questions import generate
from embft.questions.batch import BatchApi as Client
from embft.questions.tasks import make_request, make_tasks
from embft.records import Chunk

KEY = "sk-sentinel-5521-never-stored"
CHUNKS = [Chunk(f"c{place}", f"Passage number {place}.", "doc", 1, 0, 20) for place in range(5)]


class BatchApi:
    """Files and batches; a batch is looked at ``looks`` times before it is done."""

    def __init__(self, server: HTTPServer) -> None:
        self.files: dict[str, str] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.looks, self.ends_as, self.broken = 2, "completed", set[str]()
        self.instead: dict[str, Any] = {}  # passage to the body that its line holds
        server.expect_request("/v1/files", method="POST").respond_with_handler(self.upload)
        server.expect_request("/v1/batches", method="POST").respond_with_handler(self.create)
        server.expect_request("/v1/batches", method="GET").respond_with_handler(self.listed)
        for place in range(9):
            name = f"batch-{place}"
            server.expect_request(f"/v1/batches/{name}").respond_with_handler(lambda _, name=name: self.look(name))
            for kind in ("in", "out", "err"):
                file = f"{kind}-{place}"
                server.expect_request(f"/v1/files/{file}/content").respond_with_handler(
                    lambda _, file=file: Response(self.files[file], content_type="application/octet-stream")
                )

    @property
    def asked(self) -> list[str]:
        """Every request that was in a batch."""
        sent = (self.files[batch["input_file_id"]] for batch in self.batches.values())
        return [json.loads(line)["custom_id"] for text in sent for line in text.splitlines()]

    def upload(self, request: Request) -> Response:
        name = f"in-{len(self.batches)}"
        self.files[name] = request.files["file"].read().decode()
        return reply({"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch"})

    def create(self, request: Request) -> Response:
        sent = json.loads(request.data)
        lines = self.files[sent["input_file_id"]].splitlines()
        batch = {
            "id": f"batch-{len(self.batches)}", "object": "batch", "created_at": 1, "status": "validating",
            "completion_window": "24h", "endpoint": sent["endpoint"], "input_file_id": sent["input_file_id"],
            "metadata": sent["metadata"], "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "left": self.looks,
        }  # fmt: skip
        self.batches[batch["id"]] = batch
        return reply(batch)

    def listed(self, request: Request) -> Response:
        return reply({"object": "list", "data": list(self.batches.values())[::-1], "has_more": False})

    def look(self, name: str) -> Response:
        batch = self.batches[name]
        batch["left"] -= 1
        if batch["left"] <= 0 and batch["status"] in {"validating", "in_progress"}:
            self.finish(batch)
        return reply(batch)

    def finish(self, batch: dict[str, Any]) -> None:
        batch["status"], number = self.ends_as, batch["id"].removeprefix("batch-")
        if self.ends_as == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "x", "message": "no such model in batches"}]}
            return
        out, err = [], []
        for line in self.files[batch["input_file_id"]].splitlines():
            row = json.loads(line)
            name = next(
                x for x in row["body"]["messages"][0]["content"].splitlines() if x.startswith("Passage")
            ).rstrip(".")
            answer: dict[str, Any] = {"custom_id": row["custom_id"], "response": {"status_code": 500, "body": {}}}
            if name in self.broken:
                err.append(answer)
                continue
            text = json.dumps([f"What is {name}?", f"Who wrote {name}?"])
            usage = {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100}
            answer["response"] = {
                "status_code": 200,
                "body": {"choices": [{"message": {"content": text}}], "usage": usage},
            }
            if name in self.instead:
                answer["response"]["body"] = self.instead[name]
            out.append(answer)
        for kind, rows in (("out", out), ("err", err)):
            self.files[f"{kind}-{number}"] = "".join(json.dumps(row) + "\n" for row in rows[::-1])  # in any order
        batch |= {"output_file_id": f"out-{number}", "error_file_id": f"err-{number}" if err else None}
        batch["request_counts"] |= {"completed": len(out), "failed": len(err)}


def reply(value: Any) -> Response:
    return Response(json.dumps(value), content_type="application/json")


@pytest.fixture
def api(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchApi]:
    monkeypatch.setenv("EMBFT_TEST_KEY", KEY)
    return BatchApi(httpserver)


def config(server: HTTPServer, **changes: Any) -> QuestionsConfig:
    settings = {
        "base_url": server.url_for("/v1"), "api_key_env": "EMBFT_TEST_KEY", "model": "gpt-4o-mini", "poll_seconds": 0.01,
        "max_retries": 0,
    }  # fmt: skip
    return QuestionsConfig(**{"name": "openai_batch", "backend": "openai_batch", **settings, **changes})


def test_a_batch_asks_once_and_a_rerun_asks_nothing(api: BatchApi, httpserver: HTTPServer, tmp_path: Path) -> None:
    made = generate(CHUNKS, config(httpserver), tmp_path, 1)
    again = generate(CHUNKS, config(httpserver), tmp_path, 1)
    assert len(made.questions) == 10
    assert {question.origin for question in made.questions} == {"openai_batch"}
    assert again.questions == made.questions
    assert (len(api.asked), len(api.batches)) == (5, 1)
    assert (made.report["requests"], made.report["tokens"], again.report["cached_replies"]) == (5, 500, 5)
    assert made.report["usd"] == pytest.approx(5 * (70 * 0.15 + 30 * 0.6) / 1e6 / 2)


def test_replies_serve_the_live_backend_too(api: BatchApi, httpserver: HTTPServer, tmp_path: Path) -> None:
    generate(CHUNKS, config(httpserver), tmp_path, 1)
    live = generate(CHUNKS, config(httpserver, backend="openai"), tmp_path, 1)
    assert (live.report["requests"], live.report["cached_replies"]) == (0, 5)


@pytest.mark.parametrize("done", [False, True], ids=["under way", "done"])
def test_a_batch_that_a_killed_run_left_is_found_again(
    api: BatchApi, httpserver: HTTPServer, tmp_path: Path, done: bool
) -> None:
    settings = config(httpserver)
    requests = [make_request(task, settings, settings.base_url, 1) for task in make_tasks(CHUNKS, settings)]

    async def send_and_die() -> None:
        client = Client(settings)
        await client.send(requests)
        await client.close()

    asyncio.run(send_and_die())
    if done:
        api.finish(next(iter(api.batches.values())))
    assert len(generate(CHUNKS, settings, tmp_path, 1).questions) == 10
    assert len(api.batches) == 1


def test_what_failed_in_a_batch_is_named_and_goes_into_the_next_alone(
    api: BatchApi, httpserver: HTTPServer, tmp_path: Path
) -> None:
    api.broken = {"Passage number 1"}
    made = generate(CHUNKS, config(httpserver), tmp_path, 1)
    assert [(row.chunk_ids, row.reason, row.detail) for row in made.rejected] == [
        (("c1",), "request failed", "the server answered 500")
    ]
    api.broken = set()
    assert len(generate(CHUNKS, config(httpserver), tmp_path, 1).questions) == 10
    assert len(api.asked) == 6


def test_a_batch_that_failed_is_one_clear_error(api: BatchApi, httpserver: HTTPServer, tmp_path: Path) -> None:
    api.ends_as = "failed"
    with pytest.raises(EndpointError, match=r"ended batch batch-0 as failed: no such model in batches"):
        generate(CHUNKS, config(httpserver), tmp_path, 1)


def test_a_batch_beyond_the_budget_is_not_sent(api: BatchApi, httpserver: HTTPServer, tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="budget of questions is spent"):
        generate(CHUNKS, config(httpserver, max_tokens=1000), tmp_path, 1)
    assert not api.batches


def test_an_endpoint_without_batches_is_said_to_have_none(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/v1/batches").respond_with_data("{}", 404)
    with pytest.raises(EndpointError, match="has no Batch API: take questions=openai"):
        generate(CHUNKS, config(httpserver, api_key_env=None), tmp_path, 1)


def test_the_key_is_in_no_file_and_no_log(
    api: BatchApi, httpserver: HTTPServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        generate(CHUNKS, config(httpserver), tmp_path, 1)
    assert httpserver.log[0][0].headers["Authorization"] == f"Bearer {KEY}"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert KEY not in caplog.text
    assert KEY not in json.dumps([api.files, api.batches])


UNUSABLE = {
    "refused": (
        {"choices": [{"message": {"content": None, "refusal": "I will not."}}]},
        "the model refused: I will not",
    ),
    "cut": ({"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}, "raise questions.reply_tokens"),
    "null message": ({"choices": [{"message": None}]}, "held no message"),
    "no choices": ({"choices": []}, "held no reply"),
    "text": ("overloaded", "held no reply"),
    "null": (None, "held no reply"),
    "parts of nothing": ({"choices": [{"message": {"content": [{"type": "thinking"}]}}]}, "an empty reply"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_line_that_is_no_reply_is_one_failed_request_and_goes_into_the_next_batch(
    api: BatchApi, httpserver: HTTPServer, tmp_path: Path, name: str
) -> None:
    body, words = UNUSABLE[name]
    api.instead = {"Passage number 1": body}
    made = generate(CHUNKS, config(httpserver), tmp_path, 1)
    (row,) = made.rejected
    assert (row.chunk_ids, row.reason, len(made.questions)) == (("c1",), "request failed", 8)
    assert words in row.detail
    api.instead = {}
    assert len(generate(CHUNKS, config(httpserver), tmp_path, 1).questions) == 10


def test_a_batch_of_nothing_but_failures_is_sent_once_more_at_the_next_start(
    api: BatchApi, httpserver: HTTPServer, tmp_path: Path
) -> None:
    api.instead = {f"Passage number {place}": {"choices": []} for place in range(5)}
    with pytest.raises(EndpointError, match=r"5 of 5 requests.*held no reply"):
        generate(CHUNKS, config(httpserver), tmp_path, 1)
    api.instead = {}
    assert len(generate(CHUNKS, config(httpserver), tmp_path, 1).questions) == 10
    assert len(api.batches) == 2


@pytest.mark.parametrize(
    "body", ["<html>Sign in</html>", "null", "[]", '{"data": 3}', '{"data": [null, {"metadata": []}]}', "["]
)
def test_a_list_of_batches_that_is_none_ends_in_words_or_in_a_batch(
    httpserver: HTTPServer, tmp_path: Path, body: str
) -> None:
    httpserver.expect_request("/v1/batches", method="GET").respond_with_data(body)
    httpserver.expect_request("/v1/files", method="POST").respond_with_data('{"id": null}')
    with pytest.raises(EndpointError, match=r"take questions=openai"):
        generate(CHUNKS, config(httpserver, api_key_env=None), tmp_path, 1)

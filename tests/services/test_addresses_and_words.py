"""Addresses that may be asked, secrets that may not stand in them, and what a server's words are about."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fault_server import Answer, serving

from embft.config import EndpointConfig, QuestionsConfig
from embft.errors import EndpointError
from embft.models.embeddings_endpoint import EndpointEncoder
from embft.questions.llm import ask_llm
from embft.questions.usage import usage_of
from embft.records import Chunk
from embft.services.address import Address, problem_with, secrets_in
from embft.services.transport import _asked_to_wait
from embft.services.words import read_words, shown

SECRET = "sk-0123456789abcdef0123456789"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "query",
    [
        f"api_key={SECRET}", f"key={SECRET}", f"sig={SECRET}", f"token={SECRET}", f"code={SECRET}", f"X-Api-Key={SECRET}",
        f"access_token={SECRET}", f"subscription-key={SECRET}", f"region=eu&Password={SECRET}", f"a=b;key={SECRET}",
        f"model=m&x={SECRET}", f"v=1?key={SECRET}", SECRET, f"client_secret={SECRET}", f"X-Amz-Signature={SECRET}",
    ],
)  # fmt: skip
def test_a_key_in_the_query_is_refused_and_not_shown(query: str) -> None:
    problem = problem_with(f"https://host/v1?{query}") or ""
    assert "looks like a key" in problem
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"https://user:{SECRET}@host/v1", "user's name or password"),
        (f"https://host/v1#token={SECRET}", "looks like a key"),
        ("localhost:8000/v1", "https://host/v1"),
        ("host/v1", "https://host/v1"),
        ("ftp://host/v1", "https://host/v1"),
        ("http://", "https://host/v1"),
        ("http://host:port/v1", "is no URL"),
        ("http://[::1/v1", "is no URL"),
        ("http://host /v1", "https://host/v1"),
        ("http://host/v1#x", "no server sees"),
        ("http://host/v1/chat/completions", "embft adds itself"),
        ("http://host/v1/embeddings/", "embft adds itself"),
    ],
)
def test_what_is_no_address_is_said_to_be_none(url: str, words: str) -> None:
    problem = problem_with(url) or ""
    assert words in problem
    assert SECRET not in problem


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1", "http://[::1]:8000/v1/", "https://x.openai.azure.com/openai/deployments/gpt?api-version=2024-10-21",
        "https://host/v1?api-version=2025-04-01-preview&region=westeurope", "https://host/v1?deployment=my-embedder-large&project=alpha",
    ],
)  # fmt: skip
def test_what_is_an_address_is_taken(url: str) -> None:
    assert problem_with(url) is None


def test_the_query_of_an_address_stands_behind_each_path() -> None:
    address = Address.of("https://x.openai.azure.com/openai/deployments/gpt/?api-version=1")
    assert address.root == "https://x.openai.azure.com/openai/deployments/gpt"
    assert address.path("/chat/completions") == "/chat/completions?api-version=1"
    assert address.path("/batches", {"limit": "2"}) == "/batches?api-version=1&limit=2"
    assert Address.of("http://h/v1/").path("/embeddings") == "/embeddings"


def test_azure_s_version_and_key_go_with_chats_and_embeddings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBFT_TEST_KEY", SECRET)

    def azure(body: Any, count: int) -> Answer:
        if "api-version=2024-10-21" not in seen.requests[-1][0] or seen.requests[-1][1].get("api-key") != SECRET:
            return Answer({"error": {"code": "404", "message": "Resource not found"}}, 404)
        if "input" in body:
            return Answer({"data": [{"index": 0, "embedding": [1.0, 2.0]}]})
        return Answer({"choices": [{"message": {"content": "1. What is it?\n2. Who is it?"}, "finish_reason": "stop"}]})

    with serving(azure) as (url, seen):
        base = f"{url}/deployments/gpt?api-version=2024-10-21"
        settings: dict[str, Any] = {"base_url": base, "api_key_env": "EMBFT_TEST_KEY", "max_retries": 0}
        assert EndpointEncoder(EndpointConfig(**settings)).encode_passages(["a"]).tolist() == [[1.0, 2.0]]
        config = QuestionsConfig(name="openai", backend="openai", **settings)
        chunk = Chunk("c", "Passage.", "doc", 1, 0, 8)
        assert len(ask_llm([chunk], config, tmp_path, 1).questions) == 2
    assert [path.removeprefix("/v1/deployments/gpt") for path, _, _ in seen.requests] == [
        "/embeddings?api-version=2024-10-21", "/chat/completions?api-version=2024-10-21",
    ]  # fmt: skip


def test_openai_s_client_asks_and_tells_a_stranger_nothing_of_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    with serving(lambda body, _: Answer({"data": [{"index": 0, "embedding": [1.0, 2.0]}]})) as (url, seen):
        EndpointEncoder(EndpointConfig(base_url=url, api_key_env=None)).encode_passages(["half \ud83d of it"])
    headers = {name.lower(): value for name, value in seen.requests[0][1].items()}
    assert headers["x-stainless-lang"] == "python"
    assert seen.bodies[0]["input"] == ["half ? of it"]
    assert not {"openai-organization", "openai-project", "x-embft-limit"} & set(headers)
    assert "mine" not in str(headers)
    assert SECRET not in str(headers)


@pytest.mark.slow
def test_an_address_that_is_no_url_after_all_is_said_without_a_traceback() -> None:
    with pytest.raises(EndpointError, match="its address is no URL"):
        EndpointEncoder(EndpointConfig(base_url="http://1.2.3.400/v1", api_key_env=None)).encode_passages(["a"])


def test_a_secret_in_an_address_is_refused_by_every_client(tmp_path: Path) -> None:
    base = f"http://127.0.0.1:9/v1?sig={SECRET}"
    with pytest.raises(EndpointError, match="looks like a key") as embeddings:
        EndpointEncoder(EndpointConfig(base_url=base, api_key_env=None)).require_key()
    config = QuestionsConfig(name="openai", backend="openai", base_url=base, api_key_env=None)
    with pytest.raises(EndpointError, match="looks like a key") as chats:
        ask_llm([Chunk("c", "Passage.", "doc", 1, 0, 8)], config, tmp_path, 1)
    assert SECRET not in f"{embeddings.value} {chats.value}"


def test_a_secret_on_the_command_line_reaches_no_file(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "run.py"),
        f'questions.base_url="http://h/v1?api_key={SECRET}"',
        "questions=openai",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "questions.base_url holds what looks like a key" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert secrets_in(["seed=1", "model.endpoint.base_url=http://h/v1"]) == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "no such thing.", "type": "x"}}, "no such thing"),
        ({"error": "overloaded", "message": "overloaded"}, "overloaded"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "extra"}, {"loc": ["n"], "msg": "bad"}]}, "body.seed: extra; n: bad"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg": "extra"}]}}, "body.seed: extra"),
        ({"error": {"message": "Provider", "metadata": {"raw": '{"error": {"message": "no seed"}}'}}}, "Provider; no seed"),
        ([{"error": {"message": "listed"}}], "listed"),
        ({"code": "InvalidParameter", "request_id": "1"}, "InvalidParameter"),
        ({"errors": [{"title": "first"}, {"title": "second"}]}, "first; second"),
        ({}, ""),
        (None, ""),
    ],
    ids=str,
)  # fmt: skip
def test_the_words_of_a_body_are_found_whatever_its_form(body: Any, text: str) -> None:
    assert read_words(json.dumps(body).encode()).text == text


def test_words_are_shown_shortened_in_one_line_and_without_a_key() -> None:
    words = read_words(f"bad\n key {SECRET}\x1b[31m or sk-other-key-of-somebody {'x ' * 400}".encode(), [SECRET]).text
    assert words.startswith("bad key [key] or [key] x x")
    assert len(words) < 250
    assert shown("half \ud83d of it") == "half ? of it"


@pytest.mark.parametrize(
    ("claim", "prompt", "reply"),
    [
        ({"prompt_tokens": 90, "completion_tokens": 3000}, 90, 3000), ({"prompt_tokens": 1, "completion_tokens": 1}, 112, 29),
        ({"prompt_tokens": 10**9, "completion_tokens": "5"}, 112, 29), (None, 112, 29),
    ],
)  # fmt: skip
def test_a_count_is_taken_where_it_can_be_believed(claim: Any, prompt: int, reply: int) -> None:
    usage = usage_of(claim, {"messages": [{"content": "x" * 350}]}, "y" * 100)
    assert (usage.prompt, usage.reply, usage.believed) == (prompt, reply, prompt == 90)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", None), ("soon", None), ("nan", None), ("Wed, 21 Oct 2015 07:28:00 GMT", None)],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert _asked_to_wait({"retry-after": header}) == seconds

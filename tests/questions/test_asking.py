"""Structured replies and servers that know none, second askings, kinds, personas, pairs, the seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from embft.config import QuestionsConfig
from embft.errors import QuestionError
from embft.questions import generate
from embft.questions.prompt import Prompt
from embft.questions.tasks import make_request, make_tasks, related
from embft.records import Chunk

PATH = "/v1/chat/completions"
CHUNKS = [Chunk(f"c{place}", f"Passage number {place}.", "doc", 1, 0, 20) for place in range(3)]


def config(server: HTTPServer | None = None, **changes: Any) -> QuestionsConfig:
    url = server.url_for("/v1") if server else None
    settings: dict[str, Any] = {"base_url": url, "api_key_env": None, "model": "m", "max_retries": 0}
    return QuestionsConfig(name="openai", backend="openai", **{**settings, **changes})


def completion(text: str) -> Response:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    body = {"id": "r", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return Response(json.dumps(body), content_type="application/json")


def refusal(parameter: str, **more: Any) -> Response:
    error = {"message": f"Unsupported parameter: '{parameter}' is not supported with this model.", **more}
    return Response(json.dumps({"error": error}), 400, content_type="application/json")


def bodies(server: HTTPServer) -> list[dict[str, Any]]:
    return [json.loads(request.data) for request, _ in server.log]


def numbered(request: Request) -> Response:
    content = json.loads(request.data)["messages"][0]["content"]
    name = next(line for line in content.splitlines() if line.startswith("Passage")).rstrip(".")
    return completion(json.dumps({"questions": [f"What is {name}?", f"Who wrote {name}?"]}))


def test_a_schema_is_asked_for_and_its_reply_read(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(PATH).respond_with_handler(numbered)
    made = generate(CHUNKS, config(httpserver), tmp_path, 1)
    assert len(made.questions) == 6
    assert {body["response_format"]["json_schema"]["name"] for body in bodies(httpserver)} == {"questions"}
    generate(CHUNKS, config(httpserver, structured="never"), tmp_path, 1)
    assert not any("response_format" in body for body in bodies(httpserver)[3:])


@pytest.mark.parametrize("refused", [["response_format"], ["max_tokens", "temperature"], ["seed", "response_format"]])
def test_a_server_that_refuses_a_parameter_is_asked_without_it(
    httpserver: HTTPServer, tmp_path: Path, refused: list[str]
) -> None:
    def picky(request: Request) -> Response:
        found = next((name for name in refused if name in json.loads(request.data)), None)
        return refusal(found) if found else numbered(request)

    httpserver.expect_request(PATH).respond_with_handler(picky)
    made = generate(CHUNKS, config(httpserver, concurrency=1), tmp_path, 1)
    assert (len(made.questions), made.rejected) == (6, [])
    assert len(httpserver.log) == 3 + len(refused)  # each is learnt once
    assert ("max_completion_tokens" in bodies(httpserver)[-1]) == ("max_tokens" in refused)
    generate(CHUNKS, config(httpserver), tmp_path, 1)
    assert len(httpserver.log) == 3 + len(refused)


def test_a_refusal_for_another_reason_is_a_failure_of_its_chunk(httpserver: HTTPServer, tmp_path: Path) -> None:
    def strict(request: Request) -> Response:
        if "number 1" in json.loads(request.data)["messages"][0]["content"]:
            return Response('{"error": {"message": "too long a prompt"}}', 400, content_type="application/json")
        return numbered(request)

    httpserver.expect_request(PATH).respond_with_handler(strict)
    made = generate(CHUNKS, config(httpserver), tmp_path, 1)
    assert [(row.chunk_ids, row.reason, row.detail) for row in made.rejected] == [
        (
            ("c1",),
            "request failed",
            "the server answered 400: too long a prompt (lower corpus.chunk_tokens or questions.reply_tokens)",
        )
    ]
    assert all("response_format" in body for body in bodies(httpserver))


def test_what_is_missing_is_asked_for_once_with_what_is_there(httpserver: HTTPServer, tmp_path: Path) -> None:
    def scant(request: Request) -> Response:
        content = json.loads(request.data)["messages"][0]["content"]
        return completion("1. Who?\n2. Where is it?" if "exist already" in content else "1. What is it?")

    httpserver.expect_request(PATH).respond_with_handler(scant)
    made = generate(CHUNKS[:1], config(httpserver, per_chunk=3), tmp_path, 5)
    assert [question.text for question in made.questions] == ["What is it?", "Who?", "Where is it?"]
    first, second = bodies(httpserver)
    assert "- What is it?\nWrite 2 others" in second["messages"][0]["content"]
    assert (first["seed"], second["seed"], made.report["asked_again"]) == (5, 6, 1)


def test_an_empty_reply_is_asked_for_again_more_boldly_and_then_named(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(PATH).respond_with_handler(
        lambda request: completion("") if b"number 1" in request.data else numbered(request)
    )
    made = generate(CHUNKS, config(httpserver), tmp_path, 1)
    assert [(row.chunk_ids, row.reason, row.detail) for row in made.rejected] == [
        (("c1",), "request failed", "an empty reply")
    ]
    assert max(body["temperature"] for body in bodies(httpserver)) == 0.7
    assert made.report["chunks_without_questions"] == ["c1"]


def test_another_seed_is_another_request() -> None:
    task = make_tasks(CHUNKS, config())[0]
    assert make_request(task, config(), None, 1).key != make_request(task, config(), None, 2).key
    assert make_request(task, config(), None, 1).key == make_request(task, config(), None, 1).key


def test_kinds_are_dealt_out_in_turn_and_the_asker_is_named() -> None:
    tasks = make_tasks(CHUNKS, config(prompt="typed", types=["fact", "how_why", "keywords"], persona="a nurse"))
    asked = [task.message(2) for task in tasks]
    assert all("You are a nurse." in text for text in asked)
    assert ["one fact" in text for text in asked] == [True, True, False]
    assert ["how or why" in text for text in asked] == [True, False, True]
    assert ["keywords as people" in text for text in asked] == [False, True, True]


def test_a_chinese_chunk_gets_chinese_kinds_and_a_user_s_kind_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "rude.txt").write_text("a rude question\n", encoding="utf-8")
    prompt = Prompt("typed", types=["fact", str(tmp_path / "rude.txt")])
    filled = prompt.fill("向量数据库用于检索高维向量。", 2)
    assert "询问一个事实" in filled
    assert "- a rude question\n" in filled
    assert "需要答案的人" in filled


def test_a_prompt_without_a_place_for_kinds_is_refused_with_one_that_has_it() -> None:
    with pytest.raises(QuestionError, match=r"lacks \{types\}.*questions\.prompt=typed"):
        Prompt("article", types=["fact"])
    with pytest.raises(QuestionError, match=r"questions\.types=fakt .*Did you mean 'fact'"):
        Prompt("typed", types=["fakt"])


RELATED = [
    Chunk("cat", "Cats purr when they are content, and a purring cat heals its bones.", "d", 1, 0, 9),
    Chunk("tax", "The tax return is due in April unless an extension was granted.", "d", 2, 0, 9),
    Chunk("bone", "Bones heal faster under vibration, as of a purring machine.", "d", 3, 0, 9),
    Chunk("late", "A late tax return costs a penalty for every month after April.", "d", 4, 0, 9),
]


def test_pairs_are_of_chunks_that_share_rare_words_and_none_stands_in_two() -> None:
    pairs = related(RELATED, 10)
    assert {(left.id, right.id) for left, right in pairs} == {("cat", "bone"), ("tax", "late")}
    assert len(related(RELATED, 1)) == 1
    assert related([RELATED[0], RELATED[0]], 1) == []  # the same text says nothing more


def test_both_chunks_of_a_pair_are_relevant(httpserver: HTTPServer, tmp_path: Path) -> None:
    def answer(request: Request) -> Response:
        content = json.loads(request.data)["messages"][0]["content"]
        return completion(f'["Why {len(httpserver.log)} {"both" if "two passages" in content else "one"}?"]')

    httpserver.expect_request(PATH).respond_with_handler(answer)
    made = generate(RELATED, config(httpserver, per_chunk=1, pairs=2, concurrency=1, prompt="search"), tmp_path, 1)
    both = [question for question in made.questions if "both" in question.text]
    assert {question.chunk_ids for question in both} == {("cat", "bone"), ("tax", "late")}
    assert len(made.questions) == 6


def test_braces_in_either_chunk_are_only_text() -> None:
    filled = Prompt("pairs").fill("one {other} {count}", 1, other="two {chunk}")
    assert "one {other} {count}" in filled
    assert "two {chunk}" in filled

"""An endpoint that misbehaves in every way it can; nothing is asked, or paid, twice."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from chat_server import KEY, chunks, config, passage, refusal, reply, serve, two_about
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from embft.errors import EndpointError, QuestionError
from embft.questions import generate
from embft.records import Chunk


def test_each_chunk_is_asked_about_once_and_a_rerun_asks_nothing(server: HTTPServer, tmp_path: Path) -> None:
    serve(server, two_about)
    questions, report, _ = generate(chunks(5), config(server), tmp_path, 1)
    again, second, _ = generate(chunks(5), config(server), tmp_path, 1)
    assert again == questions
    assert len(questions) == 10
    assert (report["requests"], report["cached_replies"], report["tokens"]) == (5, 0, 500)
    assert (second["requests"], second["cached_replies"], second["tokens"]) == (0, 5, 0)
    assert len(server.log) == 5


def test_a_changed_request_is_asked_anew(server: HTTPServer, tmp_path: Path) -> None:
    serve(server, two_about)
    for changes in ({}, {"temperature": 0.5}, {"model": "n"}, {"prompt": "search"}, {"reply_tokens": 99}):
        assert generate(chunks(1), config(server, **changes), tmp_path, 1)[1]["requests"] == 1
    assert generate(chunks(1), config(server), tmp_path, 2)[1]["requests"] == 1


def test_chunks_of_equal_text_are_paid_for_once(server: HTTPServer, tmp_path: Path) -> None:
    def slow(request: Request) -> Response:
        time.sleep(0.1)
        return two_about(request)

    serve(server, slow)
    twins = [Chunk(f"c{place}", "Passage number 0.", "doc", place, 0, 17) for place in range(4)]
    report = generate(twins, config(server), tmp_path, 1)[1]
    assert (len(server.log), report["requests"], report["cached_replies"]) == (1, 1, 3)


def test_no_more_requests_run_at_once_than_allowed(server: HTTPServer, tmp_path: Path) -> None:
    running, most = [0], [0]

    def slow(request: Request) -> Response:
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.03)
        running[0] -= 1
        return two_about(request)

    serve(server, slow)
    generate(chunks(9), config(server, concurrency=2), tmp_path, 1)
    assert most[0] <= 2


def test_busy_and_broken_servers_are_asked_again(server: HTTPServer, tmp_path: Path) -> None:
    waiting = [refusal(429, **{"Retry-After": "0.4"}), refusal(500)]
    times: list[float] = []

    def moody(request: Request) -> Response:
        times.append(time.monotonic())
        return waiting.pop(0) if waiting else two_about(request)

    serve(server, moody)
    questions, report, _ = generate(chunks(1), config(server), tmp_path, 1)
    assert (len(questions), len(times), report["failures"]) == (2, 3, [])
    assert times[1] - times[0] >= 0.4  # what Retry-After said


def test_chatter_fewer_and_duplicates_are_counted(server: HTTPServer, tmp_path: Path) -> None:
    replies = {
        "Passage number 0.": "Sure! Here are two questions:\n1. What is zero?\n2. Who found zero?",
        "Passage number 1.": "1. What is one?",
        "Passage number 2.": "1. What is two?\n2. what is TWO?",
        "Passage number 3.": "I cannot help with that:",
    }
    serve(server, lambda request: reply(replies[passage(request)]))
    questions, report, _ = generate(chunks(4), config(server), tmp_path, 1)
    assert [question.text for question in questions] == [
        "What is zero?", "Who found zero?", "What is one?", "What is two?",
    ]  # fmt: skip
    assert (report["asked"], report["made"], report["duplicates"], report["chunks_with_fewer"]) == (8, 4, 4, 3)
    assert report["chatter_removed"] >= 2
    assert report["chunks_without_questions"] == ["c3"]


def test_a_few_failed_chunks_are_named_and_asked_at_the_next_run(server: HTTPServer, tmp_path: Path) -> None:
    broken = {"Passage number 1."}
    serve(server, lambda request: refusal(500) if passage(request) in broken else two_about(request))
    questions, report, _ = generate(chunks(4), config(server, max_retries=0), tmp_path, 1)
    assert len(questions) == 6
    assert report["failures"] == [{"chunk": "c1", "reason": "the server answered 500: no"}]
    broken.clear()
    questions, report, _ = generate(chunks(4), config(server), tmp_path, 1)
    assert (len(questions), report["requests"], report["failures"]) == (8, 1, [])


def test_an_error_in_a_good_answer_is_not_kept(server: HTTPServer, tmp_path: Path) -> None:
    overloaded = [True]

    def gateway(request: Request) -> Response:
        if passage(request) == "Passage number 0." and overloaded[0]:
            return Response('{"error": {"message": "overloaded"}}', content_type="application/json")
        return two_about(request)

    serve(server, gateway)
    assert len(generate(chunks(2), config(server), tmp_path, 1)[1]["failures"]) == 1
    overloaded[0] = False
    assert len(generate(chunks(2), config(server), tmp_path, 1)[0]) == 4


def test_when_most_chunks_fail_the_run_stops_and_keeps_what_it_has(server: HTTPServer, tmp_path: Path) -> None:
    serve(server, lambda request: two_about(request) if passage(request).endswith("0.") else refusal(500))
    with pytest.raises(EndpointError, match=r"3 of 4 requests.*the server answered 500"):
        generate(chunks(4), config(server, max_retries=0), tmp_path, 1)
    server.clear()
    serve(server, two_about)
    assert generate(chunks(4), config(server), tmp_path, 1)[1]["cached_replies"] == 1


@pytest.mark.parametrize(
    ("status", "message"), [(401, r"refused the key in \$EMBFT_TEST_KEY"), (404, "has no model 'm'")]
)
def test_a_refusal_is_one_clear_error(server: HTTPServer, tmp_path: Path, status: int, message: str) -> None:
    serve(server, lambda _: refusal(status))
    with pytest.raises(EndpointError, match=message) as error:
        generate(chunks(3), config(server), tmp_path, 1)
    assert KEY not in str(error.value)
    assert error.value.__cause__ is None


def test_a_closed_port_is_one_clear_error(server: HTTPServer, tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match=r"cannot be reached.*questions=extractive"):
        generate(chunks(1), config(server, base_url="http://127.0.0.1:9/v1", max_retries=0), tmp_path, 1)


def test_a_missing_key_names_the_variable_and_the_way_without(server: HTTPServer, tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match=r"EMBFT_NO_SUCH_KEY.*questions=extractive"):
        generate(chunks(1), config(server, api_key_env="EMBFT_NO_SUCH_KEY"), tmp_path, 1)


@pytest.mark.parametrize("key", ["sk-line\nbreak", "sk-schl\u00fcssel"])
def test_a_malformed_key_is_said_to_be_so_and_not_shown(
    server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("EMBFT_TEST_KEY", key)
    with pytest.raises(EndpointError, match=r"The key in \$EMBFT_TEST_KEY") as error:
        generate(chunks(1), config(server), tmp_path, 1)
    assert key not in str(error.value)


def test_it_runs_below_an_event_loop(server: HTTPServer, tmp_path: Path) -> None:
    serve(server, two_about)

    async def notebook() -> int:
        return len(generate(chunks(1), config(server), tmp_path, 1)[0])

    assert asyncio.run(notebook()) == 2


def test_the_key_is_in_no_file_and_no_log(
    server: HTTPServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    serve(server, two_about)
    with caplog.at_level("DEBUG"):
        report = generate(chunks(2), config(server), tmp_path, 1)[1]
    assert server.log[0][0].headers["Authorization"] == f"Bearer {KEY}"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "replies.sqlite" for path in files)
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert KEY not in caplog.text + "".join(capfd.readouterr()) + json.dumps(report)


def test_an_llm_that_only_talks_is_said_to_and_the_text_is_not_blamed(server: HTTPServer, tmp_path: Path) -> None:
    serve(server, lambda _: reply("I'm glad that you ask. I'm here to help."))
    with pytest.raises(QuestionError, match="answered, but not with questions"):
        generate(chunks(1), config(server), tmp_path, 1)


def test_an_example_of_the_prompt_never_becomes_a_question(server: HTTPServer, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("1. Why is the sky blue?\n{chunk}\nAsk {count}.", encoding="utf-8")
    serve(server, lambda _: reply("1. Why is the sky blue?\n2. What is number 0?"))
    questions, report, _ = generate(chunks(1), config(server, prompt=str(tmp_path / "mine.txt")), tmp_path, 1)
    assert ([question.text for question in questions], report["duplicates"]) == (["What is number 0?"], 1)

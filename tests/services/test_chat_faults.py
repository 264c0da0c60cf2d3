"""Every way in which a chat server can be wrong ends in words or in right questions, and nothing unusable is kept."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from chat_faults import ALL, KEY, MODES, RIGHT, completion, good, passage, text
from fault_server import Answer, serving

from embft.config import QuestionsConfig
from embft.errors import EndpointError, QuestionError
from embft.questions.generated import Generated
from embft.questions.llm import ask_llm
from embft.records import Chunk

CHUNKS = [Chunk(f"c{place}", f"Passage number {place}.", "doc", 1, 0, 20) for place in range(3)]
WANTED = [
    f"{ask} Passage number {place}{end}"
    for place in range(3)
    for ask, end in (("What does", " say?"), ("Who wrote", "?"))
]


def config(url: str, **changes: Any) -> QuestionsConfig:
    settings: dict[str, Any] = {"timeout_seconds": 0.2, "max_retries": 0, "concurrency": 1}
    return QuestionsConfig(
        name="openai",
        backend="openai",
        model="m",
        base_url=url,
        api_key_env="EMBFT_FAULT_KEY",
        **{**settings, **changes},
    )


def ask(url: str, folder: Path, **changes: Any) -> Generated | EndpointError | QuestionError:
    try:
        return ask_llm(CHUNKS, config(url, **changes), folder, 1)
    except (EndpointError, QuestionError) as error:
        return error


def texts(made: Generated | EndpointError | QuestionError) -> list[str]:
    assert isinstance(made, Generated), made
    return [question.text for question in made.questions]


def stored(folder: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(folder / "replies.sqlite") as connection:
        return [json.loads(reply) for (reply,) in connection.execute("SELECT reply FROM replies")]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBFT_FAULT_KEY", KEY)


def fine(folder: Path) -> None:
    """Nothing that is stored is anything else than a reply with both or one of its questions."""
    for reply in stored(folder):
        assert re.match(r"\W*(?:1\. What does|2\. Who wrote) Passage number \d", reply["text"]), reply
        assert 100 <= reply["prompt_tokens"] <= 1000
        assert 10 <= reply["completion_tokens"] <= 100
    assert KEY.encode() not in (folder / "replies.sqlite").read_bytes()


def again(url: str, folder: Path) -> None:
    """Without the server nothing wrong comes; with a good one at the same address, all that is missing."""
    gone = ask(url, folder, timeout_seconds=10.0)
    assert isinstance(gone, EndpointError) or sorted(texts(gone)) == sorted(WANTED)
    with serving(lambda body, _: good(body), int(url.rsplit(":", 1)[1].split("/")[0])):
        assert sorted(texts(ask(url, folder, timeout_seconds=10.0))) == sorted(WANTED)
    fine(folder)


@pytest.mark.parametrize("name", MODES)
def test_a_bad_answer_is_one_failed_request_with_its_reason(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mode, wanted = MODES[name]
    counts = {"Passage number 1": 0}

    def answer(body: Any, _: int) -> Answer:
        if (about := passage(body)) not in counts:
            return good(body)
        counts[about] += 1
        return mode(body, counts[about] - 1)

    with serving(answer) as (url, _):
        made = ask(url, tmp_path, timeout_seconds=0.2 if "0.2 s" in wanted else 10.0)
    if wanted == RIGHT:
        assert sorted(re.sub(r"[�\s]+$", "", one) for one in texts(made)) == sorted(WANTED)
        assert made.report["failed_requests"] == 0
    else:
        assert sorted(texts(made)) == sorted(one for one in WANTED if "number 1" not in one)
        (row,) = made.rejected
        assert (row.chunk_ids, row.reason) == (("c1",), "request failed")
        assert re.search(wanted, row.detail, re.DOTALL), row.detail
        assert len(row.detail) < 400
        assert row.detail.isprintable()
        assert made.report["failed_requests"] >= 1
        assert row.detail in caplog.text
    assert KEY not in caplog.text + str(made)
    assert made.report["tokens"] >= 250  # two good replies at least
    fine(tmp_path)
    again(url, tmp_path)


@pytest.mark.parametrize("name", ALL)
def test_what_every_request_meets_stops_the_run_in_words(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mode, wanted = ALL[name]
    with serving(mode) as (url, seen):
        made = ask(url, tmp_path, timeout_seconds=10.0)
    if wanted == RIGHT:
        assert sorted(texts(made)) == sorted(WANTED)
        assert len(seen.requests) <= 3 + 2  # learnt once
        assert "asked without from now on" in caplog.text
    else:
        assert isinstance(made, EndpointError)
        assert re.search(wanted, str(made), re.DOTALL), made
        assert len(str(made)) < 700
    assert KEY not in caplog.text + str(made)
    fine(tmp_path)
    again(url, tmp_path)


def test_a_500_to_schemas_names_the_setting(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serving(ALL["500 for every schema"][0]) as (url, _):
        ask(url, tmp_path, timeout_seconds=10.0)
    assert re.search(r"answered 500: Internal Server Error.*questions\.structured=never", caplog.text, re.DOTALL)


def test_a_context_that_is_too_long_leaves_the_other_requests_as_they_are(tmp_path: Path) -> None:
    def answer(body: Any, count: int) -> Answer:
        return MODES["too long"][0](body, count) if passage(body).endswith("0") else good(body)

    with serving(answer) as (url, seen):
        made = ask(url, tmp_path, timeout_seconds=10.0)
    assert len(texts(made)) == 4
    assert all({"max_tokens", "seed", "response_format", "temperature"} <= set(body) for body in seen.bodies)
    assert len(seen.requests) == 3


def test_a_server_that_counts_no_tokens_cannot_pass_a_cap(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def free(body: Any, _: int) -> Answer:
        return Answer(completion({"content": text(body)}, usage={"prompt_tokens": -100, "completion_tokens": -100}))

    with serving(free) as (url, seen):
        made = ask(url, tmp_path, timeout_seconds=10.0, max_tokens=400, reply_tokens=60)
    assert isinstance(made, QuestionError)
    assert "budget of questions is spent" in str(made)
    assert len(seen.requests) == 2
    assert "gives no believable count of tokens" in caplog.text


def test_failed_replies_that_were_paid_for_count_against_a_cap(tmp_path: Path) -> None:
    with serving(ALL["cut by reasoning"][0]) as (url, seen):
        made = ask(url, tmp_path, timeout_seconds=10.0, max_tokens=400, reply_tokens=60)
    assert "budget of questions is spent" in str(made)
    assert len(seen.requests) == 2


@pytest.mark.parametrize(
    "old",
    [
        {"text": ""}, {"text": None}, {"text": [{"text": "What?"}]}, {"text": "<think>Okay"}, {"text": "[" * 9999},
        {"prompt_tokens": 3}, [], "text", None,
    ],
    ids=str,
)  # fmt: skip
def test_what_an_older_version_stored_unusable_is_asked_again(tmp_path: Path, old: Any) -> None:
    with serving(lambda body, _: good(body)) as (url, seen):
        ask(url, tmp_path, timeout_seconds=10.0)
        with sqlite3.connect(tmp_path / "replies.sqlite") as connection:
            (key,) = connection.execute("SELECT key FROM replies LIMIT 1").fetchone()
            connection.execute("UPDATE replies SET reply = ? WHERE key = ?", (json.dumps(old), key))
        made = ask(url, tmp_path, timeout_seconds=10.0)
        assert (sorted(texts(made)), len(seen.requests)) == (sorted(WANTED), 4)
    assert sorted(texts(ask(url, tmp_path))) == sorted(WANTED)
    fine(tmp_path)


def test_nothing_more_is_asked_of_a_server_that_never_gives_a_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embft.questions.chat_endpoint._HOPELESS", 2)
    with serving(ALL["cut by reasoning"][0]) as (url, seen):
        made = ask(url, tmp_path, timeout_seconds=10.0)
    assert re.search(r"3 of 3 requests.*ran out of tokens", str(made))
    assert len(seen.requests) == 2


def test_the_log_is_quiet_about_a_server_without_counts_where_there_is_no_cap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), serving(MODES["no usage"][0]) as (url, _):
        ask(url, tmp_path, timeout_seconds=10.0)
    assert not caplog.records

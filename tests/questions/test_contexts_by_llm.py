"""corpus.context=llm: a sentence for each chunk, through the client, the cache and the budget of the questions."""

from __future__ import annotations

import pytest
from loopback import Answer, serving

from embft.config import QuestionsConfig
from embft.errors import EndpointError, QuestionError
from embft.questions.contexts import estimate_contexts, sentence_of, write_contexts
from embft.records import Chunk, Page

TEXTS = [f"Passage number {place} says that sales rose." for place in range(6)]
PAGES = [Page("nvda.pdf", place, text, "NVIDIA 10-K 2022", ((0, ("Item 7",)),)) for place, text in enumerate(TEXTS)]
CHUNKS = [Chunk(f"c{place}", text, "nvda.pdf", place, 0, len(text)) for place, text in enumerate(TEXTS)]


def config(url: str, **changes) -> QuestionsConfig:
    settings = {"base_url": url, "api_key_env": None, "max_retries": 0, "model": "gpt-4o-mini", **changes}
    return QuestionsConfig(name="openai", backend="openai", **settings)


def asked_about(body) -> str:
    """The chunk of a request."""
    return body["messages"][0]["content"].split("<passage>\n")[1].split("\n</passage>")[0]


def test_each_chunk_gets_its_sentence_and_none_is_paid_for_twice(tmp_path):
    prompts = []

    def answer(passage, body):
        prompts.append(body["messages"][0]["content"])
        return Answer(f'<think>Hm.</think>\n"From NVIDIA\'s 10-K of 2022, on {asked_about(body)[:16]}."')

    with serving(answer) as (url, log):
        before = estimate_contexts(PAGES, CHUNKS, config(url), tmp_path, 0)
        assert (len(log), len(before.missing)) == (0, 6)
        assert before.usd
        written = write_contexts(PAGES, CHUNKS, config(url), tmp_path, 0)
        again = write_contexts(PAGES, CHUNKS, config(url), tmp_path, 0)
        after = estimate_contexts(PAGES, CHUNKS, config(url), tmp_path, 0)
    assert len(log) == 6
    assert written.contexts["c3"] == "From NVIDIA's 10-K of 2022, on Passage number 3."
    assert again.contexts == written.contexts
    assert (written.report["made"], written.report["requests"], again.report["cached_replies"]) == (6, 6, 6)
    assert written.report["usd"] > 0
    assert (len(after.missing), after.stored) == (0, 6)
    assert "Title: NVIDIA 10-K 2022" in prompts[0]
    assert "Headings above the passage: Item 7" in prompts[0]


def test_a_chunk_without_a_usable_reply_has_its_title_and_headings(tmp_path):
    def answer(passage, body):
        special = {TEXTS[2]: Answer("ok"), TEXTS[4]: Answer(status=400)}
        return special.get(asked_about(body), Answer("A sentence about it."))

    with serving(answer) as (url, _):
        written = write_contexts(PAGES, CHUNKS, config(url), tmp_path, 0)
    assert written.contexts["c2"] == written.contexts["c4"] == "NVIDIA 10-K 2022 > Item 7"
    assert written.contexts["c1"] == "A sentence about it."
    assert (written.report["unusable_replies"], written.report["failed_requests"]) == (1, 1)


def test_a_server_that_fails_mostly_stops_the_run(tmp_path):
    with serving(lambda passage, body: Answer(status=500)) as (url, _), pytest.raises(EndpointError):
        write_contexts(PAGES, CHUNKS, config(url), tmp_path, 0)


def test_a_cap_holds_and_replies_are_kept(tmp_path):
    with serving(lambda passage, body: Answer("A sentence about it.")) as (url, log):
        with pytest.raises(QuestionError, match="budget is spent"):
            write_contexts(PAGES, CHUNKS, config(url, max_tokens=900, concurrency=1), tmp_path, 0)
        paid = len(log)
        assert 0 < paid < 6
        write_contexts(PAGES, CHUNKS, config(url), tmp_path, 0)
    assert len(log) == 6


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ("Here is the context:\n\nNVIDIA's 10-K for fiscal 2022.", "NVIDIA's 10-K for fiscal 2022."),
        ("Context: From the handbook of Acme.", "From the handbook of Acme."),
        ("From the\nhandbook of Acme.", "From the handbook of Acme."),
        ("上下文：出自员工手册的请假一章。", "出自员工手册的请假一章。"),
        ("<answer>From the handbook.</answer>", "From the handbook."),
        ("", ""),
        ("no", ""),
        ("word " * 200, ""),
    ],
)
def test_a_reply_is_read_as_one_sentence(reply, sentence):
    assert sentence_of(reply) == sentence


def test_braces_in_a_document_are_text(tmp_path):
    chunk = Chunk("c", "{title} and {chunk}", "d", None, 0, 19)
    seen = []

    def answer(passage, body):
        seen.append(body["messages"][0]["content"])
        return Answer("A sentence about it.")

    with serving(answer) as (url, _):
        write_contexts([Page("d", None, chunk.text, "T")], [chunk], config(url), tmp_path, 0)
    assert "<passage>\n{title} and {chunk}\n</passage>" in seen[0]

"""Replies of LLMs come in many forms; what is asked of each is the same list of questions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.questions.parsing import parse_reply

TWO = ("What is a vector?", "How do I search it?")
ZH = ("什么是向量数据库？", "如何检索相似的文本？")

FORMS = {
    "json list": json.dumps(TWO),
    "fenced json": f"```json\n{json.dumps(TWO)}\n```",
    "talk around json": f"Here is the JSON:\n{json.dumps(TWO)}\nHope this helps!",
    "json object": json.dumps({"questions": TWO}),
    "objects with answers": json.dumps([{"question": text, "answer": "It depends on much."} for text in TWO]),
    "numbered with a dot": f"1. {TWO[0]}\n2. {TWO[1]}",
    "numbered with a bracket": f"1) {TWO[0]}\n2) {TWO[1]}",
    "labelled": f"Q1: {TWO[0]}\nQ2: {TWO[1]}",
    "labelled in full": f"Question 1: {TWO[0]}\nQuestion 2: {TWO[1]}",
    "bulleted": f"- {TWO[0]}\n- {TWO[1]}",
    "bold and quoted": f'1. **{TWO[0]}**\n2. "{TWO[1]}"',
    "chatter": f"Sure!\nHere are two questions:\n\n1. {TWO[0]}\n2. {TWO[1]}\n\nLet me know if you need more.",
    "answers": f"1. {TWO[0]}\nAnswer: A list of numbers.\n2. {TWO[1]}\nAnswer: By its neighbours.",
    "windows line ends": f"{TWO[0]}\r\n\r\n{TWO[1]}\r\n",
}


@pytest.mark.parametrize("reply", FORMS.values(), ids=FORMS.keys())
def test_each_form_of_a_reply_gives_the_same_questions(reply: str) -> None:
    assert parse_reply(reply, 2).questions == TWO


@pytest.mark.parametrize(
    "reply",
    [
        f"以下是两个问题：\n问题1：{ZH[0]}\n问题2：{ZH[1]}",
        f"1、{ZH[0]}\n2、{ZH[1]}",
        json.dumps(ZH, ensure_ascii=False),
        json.dumps(ZH),
    ],
)
def test_chinese_replies(reply: str) -> None:
    assert parse_reply(reply, 2).questions == ZH


def test_chatter_is_counted() -> None:
    assert parse_reply(FORMS["chatter"], 2).chatter == 3


def test_a_list_that_was_cut_off_gives_what_is_whole() -> None:
    assert parse_reply('["What is a vector?", "How do I sea', 2).questions == TWO[:1]


def test_duplicates_differ_in_more_than_case_and_punctuation() -> None:
    parsed = parse_reply("1. What is a vector?\n2. what is a vector\n3. How do I search it?", 2)
    assert (parsed.questions, parsed.duplicates) == (TWO, 1)


def test_more_than_asked_are_cut_and_counted() -> None:
    parsed = parse_reply(json.dumps(["a vector?", "a matrix?", "a tensor?"]), 2)
    assert (len(parsed.questions), parsed.surplus) == (2, 1)


def test_keyword_queries_need_no_question_mark() -> None:
    lines = ("install python on windows", "set path variable")
    assert parse_reply("\n".join(lines), 2).questions == lines


def test_brackets_in_a_question_are_no_json() -> None:
    lines = ("What is dict[str, int]?", "Is [1, 2] a list?")
    assert parse_reply(f"1. {lines[0]}\n2. {lines[1]}", 2).questions == lines


@pytest.mark.parametrize("reply", ["", "   ", "[]", "{}", "Sure!", "```"])
def test_a_reply_without_questions_gives_none(reply: str) -> None:
    assert parse_reply(reply, 2).questions == ()


@given(reply=st.text(), count=st.integers(1, 5))
def test_no_reply_breaks_the_parser(reply: str, count: int) -> None:
    parsed = parse_reply(reply, count)
    keys = ["".join(letter for letter in text.casefold() if letter.isalnum()) for text in parsed.questions]
    assert len(parsed.questions) <= count
    assert len(set(keys)) == len(keys)
    assert all(keys)
    assert all("\n" not in text for text in parsed.questions)


@given(cut=st.integers(0, 200))
def test_a_reply_may_end_anywhere(cut: int) -> None:
    reply = f"```json\n{json.dumps(TWO)}\n```"[:cut]
    assert set(parse_reply(reply, 2).questions) <= set(TWO)


_PLAIN = st.lists(st.from_regex(r"[a-z]{4,9}( [a-z]{4,9}){2,7}\?", fullmatch=True), min_size=1, max_size=4, unique=True)


@given(questions=_PLAIN, marker=st.sampled_from(["{}. ", "{}) ", "Q{}: ", "({}) ", "- ", "问题{}："]))
def test_markers_never_reach_a_question(questions: list[str], marker: str) -> None:
    reply = "\n".join(marker.format(place) + text for place, text in enumerate(questions, 1))
    assert list(parse_reply(reply, len(questions)).questions) == questions


def test_a_short_question_and_a_leading_decimal_stay_whole() -> None:
    assert parse_reply("Q1: Why?\nQ2: 3.5 inch or 2.5 inch drive?", 2).questions == (
        "Why?",
        "3.5 inch or 2.5 inch drive?",
    )


def test_a_list_within_a_question_is_not_the_reply() -> None:
    lines = ('Is ["some", "thing"] a list?', "What is a tuple?")
    assert parse_reply("\n".join(lines), 2).questions == lines


@pytest.mark.parametrize(
    "reply",
    [
        "I'm glad to know that you're interested in the context information. I'm here to help you with your questions.",
        "The task is to create a question that is diverse in nature across the document.",
        "This text is about databases. It explains how they store vectors.",
        "这段文字介绍了数据库。它说明如何存储向量。",
    ],
)
def test_a_model_that_talks_in_place_of_asking_gives_no_questions(reply: str) -> None:
    parsed = parse_reply(reply, 2)
    assert (parsed.questions, parsed.chatter) == ((), 1)

"""Numbers, bullets and words in front of the questions of a reply: none of them stays, and nothing else goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.questions.parsing import parse_reply

TWO = ("Why does the water rise?", "How long does the ebb last?")
ZH = ("什么力量引起大潮？", "一个太阴日有多长？")
MARKS = [
    "{n}. ",
    "{n}) ",
    "({n}) ",
    "{n}.",
    "{n}: ",
    "{n} - ",
    "Q{n}: ",
    "Q{n}. ",
    "Q.{n}: ",
    "Q{n} - ",
    "Question {n}: ",
    "question #{n}: ",
    "**{n}.** ",
    "**Question {n}:** ",
    "### {n}. ",
    "{n}\\. ",
    "[{n}] ",
    "[Q{n}] ",
    "#{n}: ",
    "- ",
    "* ",
    "• ",
    "+ ",
    "– ",
    "> ",
    "- [ ] ",
    "Query {n}: ",
    "问题{n}：",
    "问题 {n}: ",
    "【问题{n}】",
    "［{n}］",
    "（{n}）",
    "({n})、",
    "{n}、",
    "第{n}题：",
    "第{n}个问题：",
    "问：",
    "提问{n}：",
]


@pytest.mark.parametrize("mark", [mark for mark in MARKS if mark != "［{n}］"])
@pytest.mark.parametrize("questions", [TWO, ZH], ids=["en", "zh"])
def test_labels_never_reach_a_question(mark: str, questions: tuple[str, str]) -> None:
    reply = "\n".join(mark.format(n=at) + text for at, text in enumerate(questions, 1))
    assert parse_reply(reply, 2).questions == questions


@pytest.mark.parametrize(
    "labels",
    [
        ("１．", "２．"),
        ("１、", "２、"),
        ("一、", "二、"),
        ("（一）", "（二）"),
        ("①", "②"),
        ("① ", "② "),
        ("问题一：", "问题二："),
        ("a) ", "b) "),
        ("(a) ", "(b) "),
        ("a. ", "b. "),
        ("A. ", "B. "),
        ("i. ", "ii. "),
        ("I. ", "II. "),
        ("i) ", "ii) "),
        ("⒈", "⒉"),
        ("⑴", "⑵"),
        ("❶ ", "❷ "),
        ("1️⃣ ", "2️⃣ "),
        ("Question One: ", "Question Two: "),
        ("第一题：", "第二题："),
        ("第一，", "第二，"),
        ("【问题一】", "【问题二】"),
    ],
    ids=str,
)
def test_numerals_of_other_kinds_are_labels(labels: tuple[str, str]) -> None:
    for questions in (TWO, ZH):
        reply = "\n".join(label + text for label, text in zip(labels, questions, strict=True))
        assert parse_reply(reply, 2).questions == questions


@pytest.mark.parametrize(
    "question",
    [
        "Q-learning: what is it?",
        "What is Q.E.D. good for?",
        "Q1 2023 revenue growth of NVIDIA?",
        "3.5 inch or 2.5 inch?",
        "A. Smith's law says what?",
        "第一季度的营收是多少？",
        "一个太阴日有多长？",
        "Is ['a', 'b'] a list?",
        "what's the answer: a or b?",
        "i.e. what is meant?",
        "In what year? (four digits)",
        "What is a vector? Explain it briefly.",
        "question answering with BM25",
        "error: cannot open file",
    ],
)
def test_words_that_look_like_labels_stay(question: str) -> None:
    assert parse_reply(question, 1).questions == (question,)


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

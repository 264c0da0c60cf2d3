"""Labels, thoughts and structures of replies in more languages and habits: none of them reaches a question."""

from __future__ import annotations

import pytest

from embft.questions.parsing import parse_reply

EN = ("Why does the water rise twice a day?", "How long does the ebb last?")
ZH = ("什么力量引起大潮？", "一个太阴日有多长？")


@pytest.mark.parametrize(
    "labels",
    [
        ("No. 1: ", "No. 2: "),
        ("#1 ", "#2 "),
        ("1st question: ", "2nd question: "),
        ("First question: ", "Second question: "),
        ("First, ", "Second, "),
        ("Frage 1: ", "Frage 2: "),
        ("Domanda 1: ", "Domanda 2: "),
        ("Вопрос 1: ", "Вопрос 2: "),
        ("Pytanie 1. ", "Pytanie 2. "),
        ("質問1：", "質問2："),
        ("문제 1: ", "문제 2: "),
        ("คำถามที่ 1: ", "คำถามที่ 2: "),
        ("✅ ", "✅ "),
        ("❓", "❓"),
        ("Ⅰ. ", "Ⅱ. "),
        ("ⅰ) ", "ⅱ) "),
        ("User: ", "Human: "),
        ("Q(1): ", "Q(2): "),
    ],
    ids=str,
)
def test_labels_of_other_languages(labels: tuple[str, str]) -> None:
    reply = "\n".join(label + text for label, text in zip(labels, EN, strict=True))
    assert parse_reply(reply, 2).questions == EN


@pytest.mark.parametrize(
    "labels",
    [("甲、", "乙、"), ("壹、", "贰、"), ("问题(1)：", "问题(2)："), ("问题（一）：", "问题（二）："), ("题1：", "题2："),
     ("1〕", "2〕"), ("〔1〕", "〔2〕"), ("〈1〉", "〈2〉"), ("「1」", "「2」"), ("首先，", "其次，"), ("用户：", "用户：")],
    ids=str,
)  # fmt: skip
def test_chinese_labels(labels: tuple[str, str]) -> None:
    reply = "\n".join(label + text for label, text in zip(labels, ZH, strict=True))
    assert parse_reply(reply, 2).questions == ZH


@pytest.mark.parametrize("question", ["#1 reason why clocks lose time?", "First, what is salt?", "首先要做什么？"])
def test_one_line_alone_is_no_series(question: str) -> None:
    assert parse_reply(question, 1).questions == (question,)


@pytest.mark.parametrize(
    "reply",
    [
        "**Thought process:**\nTwo are wanted. What fits?\n\n**Questions:**\n{}",
        "### Thinking\nShould I ask about tides? Maybe.\n\n### Final Answer\n{}",
        "Reasoning: two needed. What about the moon?\n\nFinal answer:\n{}",
        "```thinking\nWhich one? This one?\n```\n{}",
        "<details><summary>Thinking</summary>\nWhat to ask?\n</details>\n\n{}",
        "<思考>\n需要什么问题？\n</思考>\n{}",
        "思考过程：\n需要什么问题？\n\n最终答案：\n{}",
    ],
)
def test_sections_of_thoughts_are_cut(reply: str) -> None:
    assert parse_reply(reply.format("\n".join(f"{at}. {text}" for at, text in enumerate(EN, 1))), 2).questions == EN


@pytest.mark.parametrize(
    "reply",
    [
        '{{"conversations": [{{"from": "human", "value": "{0}"}}, {{"from": "gpt", "value": "Is it?"}}, '
        '{{"from": "human", "value": "{1}"}}]}}',
        '{{\\"questions\\": [\\"{0}\\", \\"{1}\\"]}}',
        "【“{0}”，“{1}”】",
        '[[questions]]\nquestion = "{0}"\nanswer = "Is it?"\n[[questions]]\nquestion = "{1}"\nanswer = "six"',
    ],
)
def test_more_structures(reply: str) -> None:
    assert parse_reply(reply.format(*EN), 5).questions == EN


@pytest.mark.parametrize("bomb", ["\n" * 100_000, "Thinking:\n" + "# " * 50_000, "```think\n" * 20_000, "【“" * 50_000])
def test_their_patterns_take_linear_time(bomb: str) -> None:
    assert all(len(question) < 10 for question in parse_reply(bomb, 2).questions)

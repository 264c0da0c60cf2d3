"""Replies as models really send them: thoughts, JSON that is not quite JSON, tables, labels of two languages, and bombs."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.questions.labels import unlabelled
from embft.questions.loose_json import Pairs, read_value
from embft.questions.parsing import parse_reply
from embft.questions.thoughts import without_thoughts

TWO = ("Why does the water rise?", "How long does the ebb last?")
ZH = ("什么力量引起大潮？", "一个太阴日有多长？")
PLAIN = f"1. {TWO[0]}\n2. {TWO[1]}"

THOUGHTS = {
    "tags": f"<think>\nTwo are wanted. What would one ask?\n1. A draft?\n</think>\n\n{PLAIN}",
    "no opening tag": f"Okay, two are wanted. Short or long?\nShort.\n</think>\n\n{PLAIN}",
    "no opening tag, no full stop": f"Is it short or long?\nI keep it short</think>\n{PLAIN}",
    "one line": f"<think>Is it? Yes.</think>{PLAIN}",
    "another name": f"<thinking>What do they ask?</thinking>\n{PLAIN}",
    "reasoning": f"<reasoning>What do they ask?</reasoning>\n{PLAIN}",
    "square brackets": f"[THINK]What do they ask?[/THINK]{PLAIN}",
    "special tokens": f"<|begin_of_thought|>What?<|end_of_thought|>\n<|begin_of_solution|>\n{PLAIN}\n<|end_of_solution|>",
    "start and end": f"<|START_THINKING|>What?<|END_THINKING|><|START_RESPONSE|>{PLAIN}<|END_RESPONSE|>",
    "seed": f"<seed:think>Which ones?</seed:think>{PLAIN}",
    "diamonds": f"◁think▷Which ones?◁/think▷{PLAIN}",
    "escaped": f"&lt;think&gt;Which ones?&lt;/think&gt;\n{PLAIN}",
    "nested": f"<think>Which? <think>This one?</think> No?</think>\n{PLAIN}",
    "twice": f"<think>Which?</think>\n1. {TWO[0]}\n<think>And then?</think>\n2. {TWO[1]}",
    "after the answer": f"{PLAIN}\n<think>Are they good?</think>",
    "json behind": f"<think>['a draft?']</think>\n{json.dumps(TWO)}",
    "answer tags": f"<think>Which?</think><answer>{PLAIN}</answer>",
    "channels": f"<|channel|>analysis<|message|>Which?<|end|><|start|>assistant<|channel|>final<|message|>{PLAIN}<|return|>",
    "channels without marks": f"analysisWe need two questions. Which?assistantfinal{PLAIN}",
    "left over": f"{PLAIN}<|im_end|></s>",
}


@pytest.mark.parametrize("reply", THOUGHTS.values(), ids=THOUGHTS.keys())
def test_thoughts_are_cut_whatever_their_tags(reply: str) -> None:
    assert parse_reply(reply, 2).questions == TWO


@pytest.mark.parametrize(
    "reply",
    [
        "<think>\nWhich?\n1. A draft?\n2. Another?",
        "<|channel|>analysis<|message|>Which? 1. A draft?",
        "[THINK]a draft?",
    ],
)
def test_a_thought_without_an_end_leaves_nothing(reply: str) -> None:
    assert parse_reply(reply, 2).questions == ()


def test_a_tag_within_a_question_is_a_word() -> None:
    lines = ("What does the `<think>` tag do?", "Why does it print <think> and </think>?")
    assert parse_reply("\n".join(lines), 2).questions == lines


@given(
    st.text(alphabet="ab?\n 1.", max_size=40),
    st.sampled_from(["think", "thinking", "thought", "reasoning", "scratchpad"]),
)
def test_nothing_of_a_thought_is_left(thought: str, name: str) -> None:
    assert parse_reply(f"<{name}>{thought}</{name}>\n{PLAIN}", 2).questions == TWO
    assert parse_reply(f"{thought}\n</{name}>\n{PLAIN}", 2).questions == TWO


QA = [{"question": text, "answer": "Does it? It does."} for text in TWO]
STRUCTURES = {
    "capital keys": json.dumps([{"Question": text, "Answer": "It does."} for text in TWO]),
    "short keys": json.dumps([{"q": text, "a": "Is it so?"} for text in TWO]),
    "query": json.dumps({"queries": [{"query": text, "type": "fact?"} for text in TWO]}),
    "numbered keys": json.dumps({"question1": TWO[0], "answer1": "a?", "question_2": TWO[1], "answer_2": "b?"}),
    "numbers as keys": json.dumps({"1": TWO[0], "2": TWO[1]}),
    "the question as key": json.dumps({TWO[0]: "The moon.", TWO[1]: "Six hours."}),
    "pairs in a container": json.dumps({"qa_pairs": QA}),
    "deep": json.dumps({"result": {"data": {"items": QA}}}),
    "text objects": json.dumps({"questions": [{"id": 1, "type": "fact", "text": text} for text in TWO]}),
    "chat messages": json.dumps(
        [{"role": r, "content": c} for t in TWO for r, c in (("user", t), ("assistant", "Is it?"))]
    ),
    "instruction and output": json.dumps([{"instruction": text, "input": "", "output": "Is it?"} for text in TWO]),
    "lists of two": json.dumps([[text, "Because of the moon."] for text in TWO]),
    "a string of lines": json.dumps({"questions": PLAIN}),
    "json in a string": json.dumps(json.dumps(TWO)),
    "labels in strings": json.dumps([f"1. {TWO[0]}", f"Q2: {TWO[1]}"]),
    "json lines": "\n".join(json.dumps(row) for row in QA),
    "json lines with commas": ",\n".join(json.dumps(row) for row in QA),
    "numbered json lines": "\n".join(f"{at}. {json.dumps(row)}" for at, row in enumerate(QA, 1)),
    "python list": str(list(TWO)),
    "python assignment": f"```python\nquestions = [\n    '{TWO[0]}',\n    '{TWO[1]}',\n]\n```",
    "tuple": str(TWO),
    "set": f"{{'{TWO[0]}', '{TWO[1]}'}}",
    "python dicts": str(QA),
    "trailing commas": f'{{"questions": ["{TWO[0]}", "{TWO[1]}",],}}',
    "comments": f'[\n  "{TWO[0]}", // easy\n  "{TWO[1]}" # hard\n]',
    "keys without quotes": f'{{questions: ["{TWO[0]}", "{TWO[1]}"]}}',
    "curly quotes": f"[“{TWO[0]}”, “{TWO[1]}”]",
    "missing comma": f'[\n"{TWO[0]}"\n"{TWO[1]}"\n]',
    "fence with talk": f"Here they are:\n```json\n{json.dumps(TWO)}\n```\nWould you like more questions?",
    "cut off in an answer": json.dumps({"qa_pairs": QA})[:-12],
    "question tags": "".join(f"<question>{text}</question><answer>Is it? Yes.</answer>\n" for text in TWO),
    "numbered tags": f"<question_1>{TWO[0]}</question_1>\n<question_2>{TWO[1]}</question_2>",
    "attributes": "".join(f'<question id="{at}" type="fact">{text}</question>' for at, text in enumerate(TWO)),
    "text within tags": "".join(
        f"<qa><question><text>{text}</text></question><answer>a?</answer></qa>" for text in TWO
    ),
    "tags without ends": f"<question>{TWO[0]}\n<question>{TWO[1]}",
    "html list": f"<ol><li>{TWO[0]}</li><li>{TWO[1]}</li></ol>",
    "markdown table": f"| # | Question | Answer |\n|---|---|---|\n| 1 | {TWO[0]} | Is it? |\n| 2 | {TWO[1]} | b |",
    "table without a name": f"Nr | Text\n--- | ---\n1 | {TWO[0]}\n2 | {TWO[1]}",
    "csv": f'question,answer\n{TWO[0]},because\n"{TWO[1]}","six, or so"',
    "yaml": "".join(f"- question: {text}\n  answer: Is it?\n" for text in TWO),
    "q and a": "\n\n".join(f"Q: {text}\nA: The moon.\nIs it? It is." for text in TWO),
    "bold q and a": "\n".join(f"**Q{at}:** {text}\n**A{at}:** The moon." for at, text in enumerate(TWO, 1)),
    "answers on the line": f"1. {TWO[0]} Answer: The moon.\n2. {TWO[1]} (A: six hours)",
    "statements on the line": f"1. {TWO[0]} The moon pulls at it.\n2. {TWO[1]} A little more than six hours.",
    "headings": f"### Question 1\n{TWO[0]}\n\n### Question 2\n{TWO[1]}",
    "one line": f"1. {TWO[0]} 2. {TWO[1]}",
    "quoted on one line": f'"{TWO[0]}", "{TWO[1]}"',
}


@pytest.mark.parametrize("reply", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_structures_give_the_questions_and_never_the_answers(reply: str) -> None:
    assert parse_reply(reply, 5).questions == TWO


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


@pytest.mark.parametrize(
    "reply",
    [
        '{"title": "Tides", "summary": "The moon pulls."}',
        '{"error": {"message": "Is the key right?", "code": 429}}',
        "<!DOCTYPE html><html><head><title>502</title></head><body>Bad Gateway: is it up?</body></html>",
        '{"type": "object", "properties": {"questions": {"type": "array"}}}',
        '[{"answer": "Is it?"}]',
        "{}}}{{{",
        "<data><x>1</x></data>",
    ],
)
def test_an_unknown_shape_is_rejected_and_counted(reply: str) -> None:
    parsed = parse_reply(reply, 2)
    assert parsed.questions == ()
    assert parsed.unknown + parsed.chatter > 0


def test_damaged_characters_are_rejected_and_counted() -> None:
    parsed = parse_reply(f'["What is \\ud800 this?", "{TWO[0]}"]', 2)
    assert (parsed.questions, parsed.unknown) == ((TWO[0],), 1)
    assert parse_reply('["Does \\ud83d\\ude00 count?"]', 1).questions == ("Does 😀 count?",)


@pytest.mark.parametrize(
    "line",
    [
        "Sure!",
        "Here are two questions:",
        "Here is a question that can be formed from the given context:",
        "以下是两个问题：",
        "Would you like more questions?",
        "Is there anything else I can help with?",
        "I hope these help!",
        "希望这些问题对您有帮助。",
        "需要我再出几个问题吗？",
        "抱歉，我无法回答。",
        "As an AI language model, I cannot read minds.",
        "Let me know if you need more.",
        "Potential questions",
        "**Questions**",
        "---",
        "Answer: The moon.",
    ],
)
def test_talk_is_no_question(line: str) -> None:
    assert parse_reply(f"{line}\n{PLAIN}\n", 5).questions == TWO
    assert parse_reply(f"{TWO[0]}\n{TWO[1]}\n\n{line}", 5).questions == TWO


def test_at_most_as_many_as_asked() -> None:
    parsed = parse_reply("\n".join(f"{at}. Why does the water number {at} rise?" for at in range(1, 6)), 2)
    assert (len(parsed.questions), parsed.surplus) == (2, 3)


BOMBS = {
    "brackets": "[" * 100_000,
    "objects": '{"a":' * 40_000,
    "mixed": "[{(" * 40_000,
    "quotes": '["' + '" ' * 50_000,
    "labels": "- " * 50_000,
    "thoughts": "<think>" * 20_000,
    "ends": "</think>" * 20_000,
    "tags": "<question>" * 20_000,
    "bars": ("|-" * 50 + "\n") * 1000,
    "angles": "<" * 100_000,
    "marks": "Why? A: " * 12_000,
    "spaces": " " * 100_000 + "x",
    "spaces in lines": (" " * 1000 + "\n") * 100,
    "escapes": '["' + "\\" * 100_000,
    "comments": '["a" ' + "//" * 50_000,
    "numbers": "1. " * 40_000,
    "wrapped": '"1. ' * 30_000,
}


def test_bombs_take_linear_time() -> None:
    for name, bomb in BOMBS.items():
        begun = time.process_time()
        parsed = parse_reply(bomb, 2)
        assert time.process_time() - begun < 10, name
        assert all(len(question) <= 300 for question in parsed.questions), name


def test_what_follows_a_bomb_is_not_a_question_and_what_precedes_it_is() -> None:
    assert parse_reply(PLAIN + "\n" + "[" * 100_000, 2).questions[:1] in {(TWO[0],), ()}


@settings(max_examples=200)
@given(st.text(alphabet="[]{}()\"'“”,:;：，\\ \n?<>/|`-.12aQ问答think", max_size=120), st.integers(1, 4))
def test_no_punctuation_breaks_the_parser(reply: str, count: int) -> None:
    parsed = parse_reply(reply, count)
    assert len(parsed.questions) <= count
    assert all("\n" not in text and unlabelled(text) for text in parsed.questions)


_JSON = st.recursive(
    st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _plain(value: object) -> object:
    if isinstance(value, Pairs):
        return {key: _plain(item) for key, item in value.items}
    return [_plain(item) for item in value] if isinstance(value, list) else value


@given(st.lists(_JSON, max_size=3), st.booleans(), st.sampled_from([None, 2]))
def test_loose_json_reads_strict_json(value: list[object], ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    found, end = read_value(text, 0)
    assert (_plain(found), end) == (value, len(text))


@given(st.lists(st.text(alphabet="abc ?'\"\\\n", max_size=10), min_size=1, max_size=4))
def test_loose_json_reads_python_lists(value: list[str]) -> None:
    assert _plain(read_value(repr(value), 0)[0]) == value


@given(st.text(max_size=60))
def test_a_text_without_tags_keeps_its_lines(text: str) -> None:
    if not set(text) & set("<[◁&") and "assistantfinal" not in text and not text.lstrip().startswith("analysis"):
        assert without_thoughts(text) == text

"""Replies as models really send them: JSON that is not quite JSON, tags, tables, lists and talk, in two languages."""

from __future__ import annotations

import json

import pytest

from embft.questions.parsing import parse_reply

TWO = ("Why does the water rise?", "How long does the ebb last?")
ZH = ("什么力量引起大潮？", "一个太阴日有多长？")
PLAIN = f"1. {TWO[0]}\n2. {TWO[1]}"

QA = [{"question": text, "answer": "Does it? It does."} for text in TWO]
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
    "a constant of JavaScript": f"const questions = [\n  '{TWO[0]}',\n  '{TWO[1]}',\n];",
    "comments before": f'[\n  // the first\n  "{TWO[0]}",\n  # the second\n  "{TWO[1]}"\n]',
    "how hard they are": f"1. {TWO[0]} (easy)\n2. {TWO[1]} [Source: passage 3]",
    "quoted on one line": f'"{TWO[0]}", "{TWO[1]}"',
}


@pytest.mark.parametrize("reply", FORMS.values(), ids=FORMS.keys())
def test_each_form_gives_the_questions_and_never_the_answers(reply: str) -> None:
    assert parse_reply(reply, 5).questions == TWO


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
    assert parse_reply('["Why does the water rise?", "How long', 2).questions == TWO[:1]


def test_duplicates_differ_in_more_than_case_and_punctuation() -> None:
    parsed = parse_reply(f"1. {TWO[0]}\n2. {TWO[0].lower()[:-1]}\n3. {TWO[1]}", 2)
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

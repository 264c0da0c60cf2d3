"""People's questions as they really have them, and as nobody should: read right, or refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataset_files import Answers, Case, Q, case, cell, check, each

from embft.questions import map_to_chunks, read_human, require_mapped
from embft.records import Chunk, Page

CASES: list[Case] = []


PAGE = Page("guide.md", 3, "The else clause runs when no break occurs. 潮水每天晚五十分钟。")
CHUNK = Chunk("c1", PAGE.text, "guide.md", 3, 0, len(PAGE.text))
FOUND: Answers = {Q: {"c1": 1}}


def asked(name: str, content: Any, right: Answers | str, said: str = "", file: str = "a.jsonl") -> None:
    CASES.append(case(name, content, right, said, file))


asked("a quote", [{"question": Q, "evidence": "when no BREAK\noccurs"}], FOUND)
asked("a page", [{"question": Q, "document": "guide.md", "page": 3}], FOUND)
asked("a page as text", f"question,document,page\n{cell(Q)},guide.md,3\n", FOUND, file="a.csv")
asked("a chunk", [{"question": Q, "chunk_ids": ["c1"]}], FOUND)
asked("a chunk with its grade", [{"question": Q, "chunk_ids": {"c1": 3}}], {Q: {"c1": 3}})
asked(
    "a table of quotes",
    f"question;evidence\r\n{cell(Q)};{cell('when no break occurs')}\r\n".encode("utf-16"),
    FOUND,
    file="a.csv",
)
asked("a Chinese quote", [{"问题": Q, "证据": "潮水每天晚五十分钟"}], FOUND)
asked(
    "some without judgement",
    [{"question": Q, "chunk_ids": "c1"}, {"question": "z?"}],
    FOUND,
    "1 human questions say nothing",
)
asked(
    "a third lost",
    [{"question": Q, "chunk_ids": "c1"}, {"question": "z?", "evidence": "green cheese"}],
    FOUND,
    "1 of 2 human questions",
)
asked("a chunk that is gone", [{"question": Q, "chunk_ids": ["c1", "c9"]}], FOUND, "1 chunks that people named")
asked("the same twice", [{"question": Q, "chunk_ids": "c1"}] * 3, FOUND)
asked("U+2028 in a quote", [{"question": "a\u2028b", "evidence": "no break occurs"}], {"a\u2028b": {"c1": 1}})
asked("a log of another corpus", [{"question": Q, "evidence": "green cheese"}], "none of its 1 questions has its place")
asked("a log without judgements", "a?\nb?\n", "none of its 2 questions says what answers it", file="a.txt")
asked("grade 0 alone", [{"question": Q, "chunk_ids": {"c1": 0}}], "none of its 1 questions")
asked("grades too many", [{"question": Q, "chunk_ids": ["c1"], "grades": [1, 2]}], "2 grades for 1 chunk ids")
asked("a grade in words", [{"question": Q, "chunk_ids": ["c1"], "grades": ["good"]}], "no whole number")
asked("ids that are objects", [{"question": Q, "chunk_ids": [{"id": 1}]}], "no list of ids")
asked("no question", [{"evidence": "x"}], "line 1: no question")
asked("a question that is a number", [{"question": 5}], "line 1: no question")
asked("evidence that is a list", [{"question": Q, "evidence": ["x"]}], "the evidence is not a quote")
asked("a page without document", [{"question": Q, "page": 3}], "a page without its document")
asked("a page in words", [{"question": Q, "document": "guide.md", "page": "three"}], "no whole number")
asked("an infinite page", '{"question": "q", "document": "d", "page": 1e999}', "no whole number")
asked("a count of 0", [{"question": Q, "chunk_ids": "c1", "count": 0}], "the count 0 is below 1")
asked("not JSON", "no json\n", "line 1: not JSON")
asked("a list of texts", '["a", "b"]', "none of its 2 questions says what answers it")
asked("brackets", "[" * 100_000, "not a JSON list")
asked("objects", '{"a":' * 50_000, "line 1: not JSON")
asked("a key twice", '{"question": "a", "question": "b"}', "stands twice")
asked("half a character", '{"question": "a \\ud800"}', "half a character")
asked("empty", "", "holds no question")
asked("blank", " \n\t\n", "holds no question", file="a.txt")
asked("other columns", "frage;antwort\na;b\n", "Columns found: frage, antwort (separated by semicolons)", file="a.csv")
for encoding, question in (
    ("cp1252", "Wie heißt der Prüfer für Müllers Übung?"),
    ("gbk", "潮水每天什么时候上涨，由谁记录？"),
):
    row = json.dumps({"question": question, "chunk_ids": ["c1"]}, ensure_ascii=False)
    asked(f"questions in {encoding}", row.encode(encoding), {question: {"c1": 1}})
    asked(
        f"a table in {encoding}",
        f"question;chunk_ids\n{question};c1\n".encode(encoding),
        {question: {"c1": 1}},
        file="a.csv",
    )
asked("a grade that is NaN", '{"question": "q", "chunk_ids": ["c1"], "grades": NaN}', "no value in grades")
asked("an empty grade in a cell", f"question,chunk_ids,grade\n{cell(Q)},c1,\n", "no value in grade", file="a.csv")
asked(
    "a grade that is true", [{"question": Q, "chunk_ids": ["c1"], "grades": True}], "the grade true is no whole number"
)
asked("a grade below 0", [{"question": Q, "chunk_ids": ["c1"], "grades": [-1]}], "all its chunks have grade 0")
asked(
    "a grade for a stranger",
    [{"question": Q, "chunk_ids": ["c1"], "grades": {"zz": 2}}],
    "which is none of the chunk ids",
)
asked(
    "a chunk twice with two grades",
    [{"question": Q, "chunk_ids": ["c1", "c1"], "grades": [1, 2]}],
    "has the grades 1 and 2",
)
asked(
    "two people, two grades",
    [{"question": Q, "chunk_ids": "c1", "grade": grade} for grade in (1, 3)],
    {Q: {"c1": 3}},
    "1 chunks have several grades",
)
for written in ("12", "1,200", 3.0, "７"):
    asked(f"a count of {written!r}", [{"question": Q, "chunk_ids": "c1", "count": written}], FOUND)
for written in (1.5, True, -3, "ten", 1e30):
    asked(f"a count of {written!r}", [{"question": Q, "chunk_ids": "c1", "count": written}], "the count")
asked("columns that differ in case", '{"question": "a?", "Question": "b?"}', "two columns whose names differ")
asked("an id with a space", [{"question": Q, "chunk_ids": ["c1 "]}], FOUND)
asked("an id in capitals", [{"question": Q, "chunk_ids": ["C1"]}], "it has 'c1': the case of letters counts")
for written in (
    "The el\u00adse clause runs",
    "The else\u200b clause\u2060 runs",
    "\u200fThe else clause",
    "潮水\u200d每天晚五十分钟",
):
    asked(f"a quote with {written!a}", [{"question": Q, "evidence": written}], FOUND)
asked("the last line cut off", '{"question": "a?", "chunk_ids": ["c1"]}\n{"question": "b?", "chu', "line 2: not JSON")
asked("zero bytes", b"a\0b\0\0\0c" * 50, "it is binary", file="a.txt")
asked("a long line", "why " * 250_000, "says what answers it", file="a.txt")


def _read_questions(folder: Path, name: str) -> tuple[Answers, str]:
    mapped = map_to_chunks(read_human(str(folder / name)), [PAGE], [CHUNK])
    require_mapped(mapped, name)
    answers = {
        question.text: dict(zip(question.chunk_ids, question.grades or (1,) * len(question.chunk_ids), strict=True))
        for question in mapped.questions
    }
    return answers, " ".join(mapped.warnings)


@each(CASES)
def test_a_file_is_read_right_or_refused_in_words(case: Case, tmp_path: Path) -> None:
    check(case, _read_questions, tmp_path)

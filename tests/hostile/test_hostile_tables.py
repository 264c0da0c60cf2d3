"""Tables of questions and passages as people really have them, and as nobody should: read right, or refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataset_files import ONE, P2, Q2, TWO, Answers, Case, P, Q, answers_of, case, cell, check, each

from embft.dataset.tables import read_table

CASES: list[Case] = []


def add(name: str, content: Any, right: Answers | str, said: str = "", file: str = "a.jsonl") -> None:
    CASES.append(case(name, content, right, said, file))


# --- tables: separators, encodings, line ends
for sign, what in ((",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        for end in ("\n", "\r\n"):
            text = end.join(sign.join(map(cell, row)) for row in (("question", "passage"), (Q, P), (Q2, P2))) + end
            add(f"{what}, {encoding}, {end!r}", text.encode(encoding), TWO, file="a.csv")
add("excel's hint", f"sep=;\r\nquestion;passage\r\n{cell(Q)};{cell(P)}\r\n", ONE, file="a.csv")
add("old line ends", f"question,passage\r{cell(Q)},{cell('x')}\r", {Q: {"x": 1}}, file="a.csv")
add("empty columns at the end", f"question;passage;;\n{cell(Q)};{cell(P)};;\n;;;\n", ONE, file="a.csv")
add("header in capitals", f'"Question ","PASSAGE"\n{cell(Q)},{cell(P)}\n', ONE, file="a.csv")
add(
    "tabs without quoting",
    'question\tpassage\n"Why" is it?\tbecause\n',
    {'"Why" is it?': {"because": 1}},
    file="a.tsv",
)
add("the wrong suffix's case", f"question,passage\n{cell(Q)},{cell(P)}\n", ONE, file="A.CSV")
# --- tables: names of columns
for question, passage in (
    ("anchor", "positive"),
    ("query", "answer"),
    ("question", "context"),
    ("sentence1", "sentence2"),
    ("query", "pos"),
    ("query", "document"),
    ("q", "text"),
    ("query", "response"),
    ("问题", "段落"),
    ("query", "chunk"),
):
    add(f"{question} and {passage}", [{question: Q, passage: P}], ONE)
add("lists of passages", [{"query": Q, "pos": [P, "more"], "neg": ["no"]}], {Q: {P: 1, "more": 1}})
add(
    "a list in a cell",
    f"query,passages\n{cell(Q)},{cell(json.dumps(['a b', 'c d']))}\n",
    {Q: {"a b": 1, "c d": 1}},
    file="a.csv",
)
add("one list of objects", json.dumps([{"question": Q, "passage": P}]), ONE)
add("other columns", [{"question": Q, "passage": P, "author": "me"}], ONE, "not read: author")
for negatives in (
    {"negative": "no"},
    {"negative": ["no", "never"]},
    {"negative_1": "no", "negative_2": "never"},
    {"neg": []},
    {"hard_negatives": ["no"]},
    {"negative": None},
    {"negative": ""},
):
    add(f"negatives {negatives}", [{"question": Q, "passage": P, **negatives}], ONE)
# --- tables: labels
for name, yes, no in (
    ("label", 1, 0),
    ("label", "1", "0"),
    ("score", 1.0, 0.0),
    ("label", True, False),
    ("relevance", "yes", "no"),
    ("label", 1, -1),
    ("grade", 1, 0),
):
    rows = [{"question": Q, "passage": P, name: yes}, {"question": Q, "passage": "no", name: no}]
    add(f"{name} {yes!r} and {no!r}", rows, ONE, "label of 0")
add(
    "grades",
    [{"question": Q, "passage": P, "grade": 3}, {"question": Q, "passage": "x", "grade": 1}],
    {Q: {P: 3, "x": 1}},
)
add(
    "similarities",
    [{"question": Q, "passage": P, "score": 0.9}, {"question": Q, "passage": "x", "score": 0.2}],
    ONE,
    "similarities",
)
add("labels in a list", [{"query": Q, "docs": [P, "no"], "labels": [1, 0]}], ONE, "label of 0")
add(
    "a question of label 0 alone",
    [{"question": Q, "passage": P, "label": 1}, {"question": "z?", "passage": "x", "label": 0}],
    ONE,
    "z?",
)
add("fractions beyond 1", [{"question": Q, "passage": P, "score": 3.7}], "fractions beyond 0 to 1")
add("a label in words", [{"question": Q, "passage": P, "label": "maybe"}], 'label "maybe" is no number')
add("no label", f"question,passage,label\n{cell(Q)},{cell(P)},\n", "no value in label", file="a.csv")
add("label NaN", '{"question": "a", "passage": "b", "label": NaN}', "no value in label")
add("labels too few", [{"query": Q, "docs": [P, "no"], "labels": [1]}], "1 labels for 2 passages")
add(
    "two labels for one pair",
    [{"question": Q, "passage": P, "label": label} for label in (1, 0)],
    ONE,
    "1 pairs twice with different labels",
)
add("an object with a key in two cases", [{"question": Q, "passage": {"Text": P, "text": "x"}}], "differ in case alone")
# --- tables: ids
add("ids from 0", [{"question_id": 0, "question": Q, "chunk_id": 0, "passage": P}], ONE)
add("ids of one space", [{"qid": "1", "question": Q, "pid": "1", "passage": P}], ONE)
add(
    "made ids never meet given ones",
    [{"question": Q, "passage": P}, {"question": Q2, "chunk_id": "c2", "passage": P2}],
    TWO,
)
add("ids as floats", [{"question_id": 1.0, "question": Q, "chunk_id": 2.0, "passage": P}], ONE)
add(
    "an id twice",
    [{"question": Q, "passage": P, "chunk_id": 1}, {"question": Q, "passage": "x", "chunk_id": 1}],
    "had another text",
)
add(
    "an id that is a list",
    [{"question": Q, "passage": P, "question_id": {"a": 1}}],
    "neither a text nor a whole number",
)
# --- tables: lines and broken files
add(
    "U+2028 within a line",
    [{"question": Q, "passage": "a\u2028b\u2029c\x85d"}],
    {Q: {"a\u2028b\u2029c\x85d": 1}},
)
add("blank lines", "\n\n" + json.dumps({"question": Q, "passage": P}) + "\n\n  \n", ONE)
add("windows line ends", json.dumps({"question": Q, "passage": P}) + "\r\n", ONE)
add("a key twice", '{"question": "a", "question": "b", "passage": "c"}', "the key 'question' stands twice")
add("not JSON", "question passage\n", "is not JSON")
add("cut off", '{"question": "a", "pass', "is not JSON")
add("brackets", "[" * 100_000, "is not JSON")
add("objects", '{"a":' * 50_000, "is not JSON")
add("a number", "5\n", "no object with columns")
add("a list of numbers", "[1, 2]", "no object with columns")
add("half a character", '{"question": "a \\ud800 b", "passage": "c"}', "half a character")
add("a huge number", '{"question": "a", "passage": "b", "label": ' + "9" * 6000 + "}", "is not JSON")
add("empty", "", "has no rows")
add(
    "a header alone",
    "question,passage\n",
    "has no rows. Columns found: question, passage (separated by commas)",
    file="a.csv",
)
add(
    "no such columns",
    "frage;antwort\na;b\n",
    "Columns found: frage, antwort (separated by semicolons)",
    file="a.csv",
)
add(
    "no header",
    f"{cell(Q)},{cell(P)}\n{cell(Q2)},{cell(P2)}\n",
    "no text in question and passage",
    file="a.csv",
)
add("a column twice", "question,passage,passage\na,b,c\n", "the column passage stands twice", file="a.csv")
add("more cells than columns", "question,passage\na,b, c\n", "row 1 has 3 cells and the header 2", file="a.csv")
add("a quotation mark without end", 'question,passage\na,"b\nc,d\n', "no row of a table", file="a.csv")
add("letters behind a quotation mark", 'question,passage\n"a" b,c\n', "no row of a table", file="a.csv")
add("a row without passage", [{"question": Q}], "no text in passage")
add("a row without question", [{"question": "  ", "passage": P}], "no text in question")
add("a passage that is a number", [{"question": Q, "passage": 5}], "not a text but 5")
add("a passage that is an object", [{"question": Q, "passage": {"title": P}}], "not a text but")
WESTERN = ("Was kostet die Übertragung für Müller?", "Die Gebühr beträgt 5 €, heißt es in der „Prüfordnung“.")
CHINESE = ("潮水每天什么时候上涨？", "因为月球的引力拉动海水，所以潮汐每天涨落两次。")
RUSSIAN = ("Когда начинается прилив?", "Прилив начинается на пятьдесят минут позже каждый день.")
for encoding, pair, named in (
    ("cp1252", WESTERN, "windows-1252"),
    ("gbk", CHINESE, "gb18030"),
    ("cp1251", RUSSIAN, "windows-1251"),
    ("mac_roman", WESTERN, "macintosh"),
    ("koi8_r", RUSSIAN, "koi8-r"),
):
    legacy = f"question;passage\n{cell(pair[0])};{cell(pair[1])}\n".encode(encoding)
    add(f"a table in {encoding}", legacy, {pair[0]: {pair[1]: 1}}, f"was read as {named}", file="a.csv")
add(
    "a bad byte in a table", b"question,passage\na?,b \xff c\n\xc3\xa9\xc3\xa9?,d\n", {"a?": {"b \ufffd c": 1}, "éé?": {"d": 1}},
    "has a byte that is no text", file="a.csv",
)  # fmt: skip
add("binary", bytes(range(256)) * 8, "cannot be read", file="a.csv")
add("not a parquet", "PAR1 no", "cannot be read as parquet", file="a.parquet")


def _read_table(folder: Path, name: str) -> tuple[Answers, str]:
    parts = read_table(folder / name)
    return answers_of(parts["train"]), " ".join(parts["train"].notes)


@each(CASES)
def test_a_file_is_read_right_or_refused_in_words(case: Case, tmp_path: Path) -> None:
    check(case, _read_table, tmp_path)

"""Dataset and question files as people really have them, and as nobody should: read right, or refused in words.

Each file is made by its case. A case says what must come out: a question's passages with their grades, or words of the refusal;
and, where something is left out, words of the note that says so. `COUNTS` is what docs/reliability.md quotes.
"""

from __future__ import annotations

import codecs
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from embft.config import DatasetConfig
from embft.dataset.formats import read_llama_index
from embft.dataset.reading import dataset_files, read_given
from embft.dataset.tables import read_table
from embft.dataset.validation import validate
from embft.errors import EmbftError
from embft.questions import map_to_chunks, read_human, require_mapped
from embft.records import Chunk, Page, RetrievalDataset

Answers = dict[str, dict[str, int]]
"""Question to passage to grade."""
SLOWEST = 5.0
"""Seconds of CPU for one small file."""
Q, P, Q2, P2 = (
    "When is high water?",
    "Fifty minutes later\neach day; so it is.",
    "什么时候涨潮？",
    "每天晚五十分钟, “约”",
)
TWO: Answers = {Q: {P: 1}, Q2: {P2: 1}}
ONE: Answers = {Q: {P: 1}}


@dataclass(frozen=True)
class Case:
    """A file or folder and what must come out of it.

    Attributes:
        kind: ``table``, ``llama_index``, ``beir`` or ``questions``.
        files: Name to content.
        right: Answers, or words of the refusal.
        said: Words of a note.
    """

    kind: str
    name: str
    files: Mapping[str, bytes]
    right: Answers | str
    said: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


CASES: list[Case] = []


def add(
    kind: str, name: str, content: Any, right: Answers | str, said: str = "", file: str = "a.jsonl", **settings: Any
) -> None:
    files = content if isinstance(content, dict) else {file: content}
    CASES.append(Case(kind, name, {key: _bytes(value) for key, value in files.items()}, right, said, settings))


def _bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass")
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in content).encode()


def cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


# --- tables: separators, encodings, line ends
for sign, what in ((",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        for end in ("\n", "\r\n"):
            text = end.join(sign.join(map(cell, row)) for row in (("question", "passage"), (Q, P), (Q2, P2))) + end
            add("table", f"{what}, {encoding}, {end!r}", text.encode(encoding), TWO, file="a.csv")
add("table", "excel's hint", f"sep=;\r\nquestion;passage\r\n{cell(Q)};{cell(P)}\r\n", ONE, file="a.csv")
add("table", "old line ends", f"question,passage\r{cell(Q)},{cell('x')}\r", {Q: {"x": 1}}, file="a.csv")
add("table", "empty columns at the end", f"question;passage;;\n{cell(Q)};{cell(P)};;\n;;;\n", ONE, file="a.csv")
add("table", "header in capitals", f'"Question ","PASSAGE"\n{cell(Q)},{cell(P)}\n', ONE, file="a.csv")
add(
    "table",
    "tabs without quoting",
    'question\tpassage\n"Why" is it?\tbecause\n',
    {'"Why" is it?': {"because": 1}},
    file="a.tsv",
)
add("table", "the wrong suffix's case", f"question,passage\n{cell(Q)},{cell(P)}\n", ONE, file="A.CSV")
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
    add("table", f"{question} and {passage}", [{question: Q, passage: P}], ONE)
add("table", "lists of passages", [{"query": Q, "pos": [P, "more"], "neg": ["no"]}], {Q: {P: 1, "more": 1}})
add(
    "table",
    "a list in a cell",
    f"query,passages\n{cell(Q)},{cell(json.dumps(['a b', 'c d']))}\n",
    {Q: {"a b": 1, "c d": 1}},
    file="a.csv",
)
add("table", "one list of objects", json.dumps([{"question": Q, "passage": P}]), ONE)
add("table", "other columns", [{"question": Q, "passage": P, "author": "me"}], ONE, "not read: author")
for negatives in (
    {"negative": "no"},
    {"negative": ["no", "never"]},
    {"negative_1": "no", "negative_2": "never"},
    {"neg": []},
    {"hard_negatives": ["no"]},
    {"negative": None},
    {"negative": ""},
):
    add("table", f"negatives {negatives}", [{"question": Q, "passage": P, **negatives}], ONE)
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
    add("table", f"{name} {yes!r} and {no!r}", rows, ONE, "label of 0")
add(
    "table",
    "grades",
    [{"question": Q, "passage": P, "grade": 3}, {"question": Q, "passage": "x", "grade": 1}],
    {Q: {P: 3, "x": 1}},
)
add(
    "table",
    "similarities",
    [{"question": Q, "passage": P, "score": 0.9}, {"question": Q, "passage": "x", "score": 0.2}],
    ONE,
    "similarities",
)
add("table", "labels in a list", [{"query": Q, "docs": [P, "no"], "labels": [1, 0]}], ONE, "label of 0")
add(
    "table",
    "a question of label 0 alone",
    [{"question": Q, "passage": P, "label": 1}, {"question": "z?", "passage": "x", "label": 0}],
    ONE,
    "z?",
)
add("table", "fractions beyond 1", [{"question": Q, "passage": P, "score": 3.7}], "fractions beyond 0 to 1")
add("table", "a label in words", [{"question": Q, "passage": P, "label": "maybe"}], 'label "maybe" is no number')
add("table", "no label", f"question,passage,label\n{cell(Q)},{cell(P)},\n", "no value in label", file="a.csv")
add("table", "label NaN", '{"question": "a", "passage": "b", "label": NaN}', "no value in label")
add("table", "labels too few", [{"query": Q, "docs": [P, "no"], "labels": [1]}], "1 labels for 2 passages")
# --- tables: ids
add("table", "ids from 0", [{"question_id": 0, "question": Q, "chunk_id": 0, "passage": P}], ONE)
add("table", "ids of one space", [{"qid": "1", "question": Q, "pid": "1", "passage": P}], ONE)
add(
    "table",
    "made ids never meet given ones",
    [{"question": Q, "passage": P}, {"question": Q2, "chunk_id": "c2", "passage": P2}],
    TWO,
)
add("table", "ids as floats", [{"question_id": 1.0, "question": Q, "chunk_id": 2.0, "passage": P}], ONE)
add(
    "table",
    "an id twice",
    [{"question": Q, "passage": P, "chunk_id": 1}, {"question": Q, "passage": "x", "chunk_id": 1}],
    "had another text",
)
add(
    "table",
    "an id that is a list",
    [{"question": Q, "passage": P, "question_id": {"a": 1}}],
    "neither a text nor a whole number",
)
# --- tables: lines and broken files
add(
    "table",
    "U+2028 within a line",
    [{"question": Q, "passage": "a\u2028b\u2029c\x85d"}],
    {Q: {"a\u2028b\u2029c\x85d": 1}},
)
add("table", "blank lines", "\n\n" + json.dumps({"question": Q, "passage": P}) + "\n\n  \n", ONE)
add("table", "windows line ends", json.dumps({"question": Q, "passage": P}) + "\r\n", ONE)
add("table", "a key twice", '{"question": "a", "question": "b", "passage": "c"}', "the key 'question' stands twice")
add("table", "not JSON", "question passage\n", "is not JSON")
add("table", "cut off", '{"question": "a", "pass', "is not JSON")
add("table", "brackets", "[" * 100_000, "is not JSON")
add("table", "objects", '{"a":' * 50_000, "is not JSON")
add("table", "a number", "5\n", "no object with columns")
add("table", "a list of numbers", "[1, 2]", "no object with columns")
add("table", "half a character", '{"question": "a \\ud800 b", "passage": "c"}', "half a character")
add("table", "a huge number", '{"question": "a", "passage": "b", "label": ' + "9" * 6000 + "}", "is not JSON")
add("table", "empty", "", "has no rows")
add(
    "table",
    "a header alone",
    "question,passage\n",
    "has no rows. Columns found: question, passage (separated by commas)",
    file="a.csv",
)
add(
    "table",
    "no such columns",
    "frage;antwort\na;b\n",
    "Columns found: frage, antwort (separated by semicolons)",
    file="a.csv",
)
add(
    "table",
    "no header",
    f"{cell(Q)},{cell(P)}\n{cell(Q2)},{cell(P2)}\n",
    "no text in question and passage",
    file="a.csv",
)
add("table", "a column twice", "question,passage,passage\na,b,c\n", "the column passage stands twice", file="a.csv")
add(
    "table", "more cells than columns", "question,passage\na,b, c\n", "row 1 has 3 cells and the header 2", file="a.csv"
)
add("table", "a quotation mark without end", 'question,passage\na,"b\nc,d\n', "no row of a table", file="a.csv")
add("table", "letters behind a quotation mark", 'question,passage\n"a" b,c\n', "no row of a table", file="a.csv")
add("table", "a row without passage", [{"question": Q}], "no text in passage")
add("table", "a row without question", [{"question": "  ", "passage": P}], "no text in question")
add("table", "a passage that is a number", [{"question": Q, "passage": 5}], "not a text but 5")
add("table", "a passage that is an object", [{"question": Q, "passage": {"title": P}}], "not a text but")
add("table", "latin-1", 'question,passage\n"caf\xe9?",b\n'.encode("latin-1"), "not UTF-8", file="a.csv")
add("table", "binary", bytes(range(256)) * 8, "cannot be read", file="a.csv")
add("table", "not a parquet", "PAR1 no", "cannot be read as parquet", file="a.parquet")

# --- LlamaIndex
LLAMA = {"queries": {"q": Q}, "corpus": {"c": P}, "relevant_docs": {"q": ["c"]}}


def llama(**changes: Any) -> str:
    return json.dumps({**LLAMA, **changes}, ensure_ascii=False)


add("llama_index", "as it is", llama(mode="text"), ONE)
add("llama_index", "with a mark", codecs.BOM_UTF8 + llama().encode(), ONE)
add("llama_index", "UTF-16", llama().encode("utf-16"), ONE)
add("llama_index", "grades within", llama(relevant_docs={"q": {"c": 2}}), {Q: {P: 2}})
add("llama_index", "grades beside", llama(grades={"q": {"c": 4}}), {Q: {P: 4}})
add("llama_index", "grade 0", llama(corpus={"c": P, "d": "x"}, relevant_docs={"q": {"c": 1, "d": 0}}), ONE)
add(
    "llama_index",
    "grades of 0 alone",
    llama(queries={"q": Q, "r": "z?"}, relevant_docs={"q": ["c"], "r": {"c": 0}}),
    ONE,
    "grades of 0 alone",
)
add("llama_index", "a chunk named twice", llama(relevant_docs={"q": ["c", "c"]}), ONE)
add("llama_index", "ids 0", llama(queries={"0": Q}, corpus={"0": P}, relevant_docs={"0": ["0"]}), ONE)
add("llama_index", "a query twice", llama()[:-1] + ', "queries": {"q": "other?"}}', "the key 'queries' stands twice")
add(
    "llama_index",
    "a chunk id twice",
    llama().replace('"corpus": {', '"corpus": {"c": "other", '),
    "the key 'c' stands twice",
)
add("llama_index", "a chunk that is not there", llama(relevant_docs={"q": ["c", "gone"]}), "q -> gone")
add(
    "llama_index",
    "a query that is not there",
    llama(relevant_docs={"q": ["c"], "r": ["c"]}),
    "questions that are not there: 1 (r)",
)
add("llama_index", "nothing relevant", llama(relevant_docs={"q": []}), "without a relevant chunk")
add("llama_index", "an empty query", llama(queries={"q": " "}), "empty questions: 1 (q)")
add("llama_index", "grades in words", llama(relevant_docs={"q": {"c": "high"}}), "no whole numbers")
add("llama_index", "grades that are a list", llama(grades=[1]), "grades is no object")
add("llama_index", "ids that are numbers", llama(relevant_docs={"q": [1]}), "not a list of ids")
add("llama_index", "a text that is null", llama(corpus={"c": None}), "not a text but null")
add("llama_index", "excluded in words", llama(excluded="c"), "excluded is no object")
add("llama_index", "empty", "", "not JSON")
add("llama_index", "cut off", llama()[:-9], "not JSON")
add("llama_index", "a list", "[]", "no object queries")
add("llama_index", "brackets", "[" * 100_000, "not JSON")
add("llama_index", "half a character", llama(corpus={"c": "a"}).replace('"a"', '"\\ud800"'), "half a character")
add("llama_index", "images", llama(mode="image"), 'mode "image"')
add(
    "llama_index",
    "empty maps",
    json.dumps({"queries": {}, "corpus": {}, "relevant_docs": {}}),
    "there are no questions",
)

# --- BEIR
CORPUS = [
    {"_id": "d1", "title": "", "text": P},
    {"_id": "d2", "text": P2},
    {"_id": "d3", "text": "x"},
    {"_id": "d4", "text": "y"},
]
QUERIES = [{"_id": "q1", "text": Q}, {"_id": "q2", "text": Q2}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n"


def beir(name: str, right: Answers | str, said: str = "", **changes: Any) -> None:
    files = {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "qrels/test.tsv": QRELS}
    files |= {key.replace("__", "/").replace("_DOT_", "."): value for key, value in changes.items()}
    add("beir", name, {key: value for key, value in files.items() if value is not None}, right, said)


def qrels(name: str, text: str | bytes, right: Answers | str = TWO, said: str = "") -> None:
    beir(name, right, said, **{"qrels__test_DOT_tsv": text})


qrels("a test split alone", QRELS)
qrels("no header", "q1\td1\t1\nq2\td2\t1\n")
qrels("TREC's four columns", "q1\t0\td1\t1\nq2\t0\td2\t1\n")
qrels("TREC with spaces", "q1 0  d1 1\nq2 Q0 d2 1\n")
qrels("three columns with spaces", "q1 d1 1\nq2 d2 1\n")
qrels("columns in another order", "corpus-id\tquery-id\tscore\nd1\tq1\t1\nd2\tq2\t1\n")
qrels("a header in words of its own", "Anfrage\tDokument\tWert\nq1\td1\t1\nq2\td2\t1\n")
qrels("four named columns", "query-id\titer\tcorpus-id\trelevance\nq1\t0\td1\t1\nq2\t0\td2\t1\n")
qrels("grades", QRELS + "q1\td3\t3\n", {Q: {P: 1, "x": 3}, Q2: {P2: 1}})
qrels("scores of 0 and below", QRELS + "q1\td3\t0\nq2\td4\t-1\n")
qrels("scores such as 1.0", QRELS.replace("\t1", "\t1.0"))
qrels("windows and a mark", codecs.BOM_UTF8 + QRELS.replace("\n", "\r\n").encode())
qrels("UTF-16", QRELS.encode("utf-16"))
qrels("spaces around ids", QRELS.replace("d1", " d1 "))
qrels("blank lines", QRELS.replace("q2", "\n\nq2"))
qrels("a query with 0 alone", "q1\td1\t1\nq2\td2\t0\n", ONE, "no relevant document and were left out: q2")
qrels("judged twice", QRELS + "q1\td1\t2\n", {Q: {P: 2}, Q2: {P2: 1}}, "twice with different scores")
qrels("a fraction", "q1\td1\t0.5\n", "score a whole number")
qrels("a score in words", QRELS + "q1\td3\thigh\n", "line 4: expected")
qrels("score nan", "q1\td1\tnan\n", "line 1")
qrels("two columns", "q1\td1\n", "line 1: expected")
qrels("a run with six columns", "q1 Q0 d1 1 3.5 bm25\n", "expected")
qrels("empty judgements", "", "there are no questions")
qrels(
    "a document that is not there",
    QRELS + "q1\td9\t1\n" + "q1\td3\t1\nq2\td4\t1\n",
    {Q: {P: 1, "x": 1}, Q2: {P2: 1, "y": 1}},
    "'d9'",
)
qrels("documents of another folder", "q1\tx1\t1\nq2\tx2\t1\n", "judges document 'x1' and 1 more")
qrels(
    "a query that is not there",
    QRELS + "q9\td1\t1\nq1\td3\t1\nq2\td4\t1\n",
    {Q: {P: 1, "x": 1}, Q2: {P2: 1, "y": 1}},
    "query 'q9'",
)
beir("other names of files", TWO, **{"qrels__test_DOT_tsv": None, "qrels__test_DOT_txt": "q1 0 d1 1\nq2 0 d2 1\n"})
beir("no test", "no test.tsv but dev.tsv", **{"qrels__test_DOT_tsv": None, "qrels__dev_DOT_tsv": QRELS})
beir("no judgements", "qrels", **{"qrels__test_DOT_tsv": None})
beir("another split", TWO, "holds extra.tsv too", qrels__extra_DOT_tsv=QRELS)
beir(
    "ids that are numbers",
    TWO,
    corpus_DOT_jsonl=[{"_id": 0, "text": P}, {"_id": 1, "text": P2}],
    queries_DOT_jsonl=[{"_id": 0, "text": Q}, {"_id": 1, "text": Q2}],
    qrels__test_DOT_tsv="0\t0\t1\n1\t1\t1\n",
)
beir("id instead of _id", TWO, queries_DOT_jsonl=[{"id": "q1", "text": Q}, {"id": "q2", "text": Q2}])
beir(
    "shared with train",
    TWO,
    "1 of 2 train questions shares relevant documents with test",
    qrels__train_DOT_tsv="t1\td1\t1\nt2\td3\t1\n",
    queries_DOT_jsonl=[*QUERIES, {"_id": "t1", "text": "shared?"}, {"_id": "t2", "text": "own?"}],
)
beir(
    "all of train is shared",
    TWO,
    "1 of 1 train question",
    qrels__train_DOT_tsv="t1\td1\t1\n",
    queries_DOT_jsonl=[*QUERIES, {"_id": "t1", "text": "shared?"}],
)
beir(
    "the query is a document",
    {"a b c d e f": {P: 1}},
    "stand in the corpus themselves",
    queries_DOT_jsonl=[{"_id": "d4", "text": "a b c d e f"}],
    corpus_DOT_jsonl=[{"_id": "d1", "text": P}, {"_id": "d4", "text": "a b c d e f"}],
    qrels__test_DOT_tsv="d4\td1\t1\n",
)
beir("no corpus", "No such file", corpus_DOT_jsonl=None)
beir("a line of no corpus", "line 1: expected", corpus_DOT_jsonl="not json\n")
beir("no id", "line 1: expected", corpus_DOT_jsonl='{"text": "x"}')
beir("an id that is null", "line 1: expected", corpus_DOT_jsonl='{"_id": null, "text": "x"}')
beir("an id twice", "stands on an earlier line", corpus_DOT_jsonl=[*CORPUS, {"_id": "d1", "text": "other"}])
beir("a key twice", "stands twice", corpus_DOT_jsonl='{"_id": "d1", "text": "x", "text": "y"}')
beir("a text that is a list", "not a text but", corpus_DOT_jsonl=[{"_id": "d1", "text": ["x"]}])
beir("gbk", "not UTF-8", queries_DOT_jsonl='{"_id": "q1", "text": "标题"}'.encode("gb18030"))
beir("an empty query", "empty questions", queries_DOT_jsonl=[{"_id": "q1", "text": ""}, {"_id": "q2", "text": Q2}])
beir("a line separator", {**TWO, Q: {"a\u2028b": 1}}, corpus_DOT_jsonl=[{"_id": "d1", "text": "a\u2028b"}, *CORPUS[1:]])

# --- people's questions
PAGE = Page("guide.md", 3, "The else clause runs when no break occurs. 潮水每天晚五十分钟。")
CHUNK = Chunk("c1", PAGE.text, "guide.md", 3, 0, len(PAGE.text))
FOUND: Answers = {Q: {"c1": 1}}


def asked(name: str, content: Any, right: Answers | str, said: str = "", file: str = "a.jsonl") -> None:
    add("questions", name, content, right, said, file)


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
asked("a list of texts", '["a", "b"]', "not an object")
asked("brackets", "[" * 100_000, "not a JSON list")
asked("objects", '{"a":' * 50_000, "line 1: not JSON")
asked("a key twice", '{"question": "a", "question": "b"}', "stands twice")
asked("half a character", '{"question": "a \\ud800"}', "half a character")
asked("empty", "", "holds no question")
asked("blank", " \n\t\n", "holds no question", file="a.txt")
asked("other columns", "frage;antwort\na;b\n", "Columns found: frage, antwort (separated by semicolons)", file="a.csv")
asked("latin-1", "caf\xe9?".encode("latin-1"), "not UTF-8", file="a.txt")
asked("zero bytes", b"a\0b\0\0\0c" * 50, "zero bytes", file="a.txt")
asked("a long line", "why " * 250_000, "says what answers it", file="a.txt")

COUNTS = Counter(case.kind for case in CASES)
"""Files by kind, for docs/reliability.md."""


def _answers(dataset: RetrievalDataset) -> Answers:
    for found in dataset.relevant_docs.values():
        assert all(key in dataset.corpus for key in found)
    return {
        dataset.queries[key]: {dataset.corpus[chunk]: dataset.grade(key, chunk) for chunk in ids}
        for key, ids in dataset.relevant_docs.items()
    }


def _checked(dataset: RetrievalDataset) -> RetrievalDataset:
    """As the stage does before anything else sees a dataset."""
    if problems := validate(dataset, "test").fatal:
        raise EmbftError("\n".join(problems))
    return dataset


def _read_table(folder: Path, name: str) -> tuple[Answers, str]:
    parts = read_table(folder / name)
    return _answers(parts["train"]), " ".join(parts["train"].notes)


def _read_llama_index(folder: Path, name: str) -> tuple[Answers, str]:
    dataset = _checked(read_llama_index(folder / name))
    return _answers(dataset), " ".join(dataset.notes)


def _read_beir(folder: Path, name: str) -> tuple[Answers, str]:
    config = DatasetConfig(name="beir", kind="beir", path=str(folder))
    dataset_files(config)
    given = read_given(config, 42)
    return _answers(_checked(given.splits.test)), " ".join(given.notes)


def _read_questions(folder: Path, name: str) -> tuple[Answers, str]:
    mapped = map_to_chunks(read_human(str(folder / name)), [PAGE], [CHUNK])
    require_mapped(mapped, name)
    answers = {
        question.text: dict(zip(question.chunk_ids, question.grades or (1,) * len(question.chunk_ids), strict=True))
        for question in mapped.questions
    }
    return answers, " ".join(mapped.warnings)


READERS: dict[str, Callable[[Path, str], tuple[Answers, str]]] = {
    "table": _read_table,
    "llama_index": _read_llama_index,
    "beir": _read_beir,
    "questions": _read_questions,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}")
def test_a_file_is_read_right_or_refused_in_words(case: Case, tmp_path: Path) -> None:
    for name, content in case.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    begun = time.process_time()
    if isinstance(case.right, str):
        with pytest.raises(EmbftError) as caught:
            READERS[case.kind](tmp_path, next(iter(case.files)))
        assert case.right in str(caught.value)
    else:
        answers, notes = READERS[case.kind](tmp_path, next(iter(case.files)))
        assert answers == case.right
        assert case.said in notes
    assert time.process_time() - begun < SLOWEST


def test_there_are_more_than_a_hundred_files_of_all_kinds() -> None:
    assert sum(COUNTS.values()) >= 150
    assert set(COUNTS) == set(READERS)
    assert min(COUNTS.values()) >= 25

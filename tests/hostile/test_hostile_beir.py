"""BEIR folders as people really have them, and as nobody should: read right, or refused in words."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from dataset_files import ONE, P2, Q2, TWO, Answers, Case, P, Q, answers_of, case, check, checked, each

from embft.config import DatasetConfig
from embft.dataset.reading import dataset_files, read_given

CASES: list[Case] = []


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
    CASES.append(case(name, {key: value for key, value in files.items() if value is not None}, right, said))


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
qrels("ids in capitals", QRELS.replace("d", "D"), "it has 'd1': the case of letters counts")
beir(
    "é as one character and as two",
    ONE,
    corpus_DOT_jsonl=[{"_id": "caf\u00e9", "text": P}, {"_id": "x", "text": "x"}],
    qrels__test_DOT_tsv="q1\tcafe\u0301\t1\n",
)
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
GBK = [{"_id": "q1", "text": Q}, {"_id": "q2", "text": "每天什么时候涨潮，港口的水位会变化吗？"}]
beir(
    "gbk",
    {Q: {P: 1}, GBK[1]["text"]: {P2: 1}},
    "queries.jsonl does not name its encoding and was read as gb18030",
    queries_DOT_jsonl="\n".join(json.dumps(row, ensure_ascii=False) for row in GBK).encode("gbk"),
)
beir("binary", "queries.jsonl cannot be read: it is binary", queries_DOT_jsonl=bytes(range(32)) * 9)
beir("an empty query", "empty questions", queries_DOT_jsonl=[{"_id": "q1", "text": ""}, {"_id": "q2", "text": Q2}])
beir("a line separator", {**TWO, Q: {"a\u2028b": 1}}, corpus_DOT_jsonl=[{"_id": "d1", "text": "a\u2028b"}, *CORPUS[1:]])


def _read_beir(folder: Path, name: str) -> tuple[Answers, str]:
    config = DatasetConfig(name="beir", kind="beir", path=str(folder))
    dataset_files(config)
    given = read_given(config, 42)
    return answers_of(checked(given.splits.test)), " ".join(given.notes)


@each(CASES)
def test_a_file_is_read_right_or_refused_in_words(case: Case, tmp_path: Path) -> None:
    check(case, _read_beir, tmp_path)

"""Files of chunks and of people's judgements that lose something if nobody looks: read right, or refused in words."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embft.config import CorpusConfig
from embft.corpus.documents import read_documents
from embft.errors import CorpusError, DatasetError
from embft.judging.people import read_people
from embft.records import RetrievalDataset


def lines(*rows: Any) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows).encode()


def parquet(*columns: tuple[str, Any]) -> bytes:
    file = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays([pa.array(values) for _, values in columns], [name for name, _ in columns]), file
    )
    return file.getvalue()


CHUNKS: dict[str, tuple[str, bytes, dict[str, str] | str, str]] = {
    "a text column twice": ("a.csv", b"id,text,text\n1,a,b\n", "two columns 'text'", ""),
    "a text column twice in Parquet": (
        "a.parquet", parquet(("id", ["1"]), ("text", ["a"]), ("text", ["b"])), "two columns 'text'", "",
    ),
    "a flat name twice": (
        "a.jsonl", lines({"id": "1", "text": "a", "metadata": {"source": "x"}, "metadata.source": "y"}),
        "two values 'metadata.source'", "",
    ),
    "a key twice": ("a.jsonl", b'{"id": "1", "text": "a", "text": "b"}\n{"id": "2", "text": "c"}', "stands twice", ""),
    "texts in lists": (
        "a.parquet", parquet(("id", ["1"]), ("text", [["a", "b"]]), ("emb", [[0.5, 1.5]])), {"1": "a\nb"}, "",
    ),
    "rows in lists": (
        "a.parquet", parquet(("id", ["1"]), ("text", ["a"]), ("tables", [[{"cell": 1}]])), {"1": "a"}, "unread tables",
    ),
    "a dictionary of ids": (
        "a.parquet", parquet(("id", pa.array(["x", "y"]).dictionary_encode()), ("text", ["a", "b"])), {"x": "a", "y": "b"}, "",
    ),
    "ids as floats": ("a.parquet", parquet(("id", [1.0, 2.0]), ("text", ["a", "b"])), {"1": "a", "2": "b"}, ""),
    "a struct": (
        "a.parquet", parquet(("id", [0, 1]), ("payload", [{"text": "a"}, {"text": "b"}])), {"0": "a", "1": "b"}, "",
    ),
    "bytes that are no text": (
        "a.parquet", parquet(("id", ["1"]), ("text", [b"a\xff"])), {"1": "a\ufffd"}, "1 texts with half a character",
    ),
    "half a character": (
        "a.jsonl", b'{"id": "1", "text": "a \\ud800"}', {"1": "a \ufffd"}, "1 texts with half a character",
    ),
    "no ids": (
        "a.parquet", parquet(("id", pa.array([None], pa.string())), ("text", ["a"])), "no column with the chunks' ids", "",
    ),
    "no rows": (
        "a.parquet", parquet(("id", pa.array([], pa.string())), ("text", pa.array([], pa.string()))), "holds no rows", "",
    ),
    "cut in half": ("a.parquet", parquet(("id", ["1"]), ("text", ["a"]))[:60], "no Parquet file", ""),
    "ids that differ by a space": ("a.csv", b'id,text\na,x\n"a ",y\nA,z\n', {"a": "x", "a ": "y", "A": "z"}, ""),
    "é in two forms": (
        "a.jsonl", lines({"id": "é", "text": "x"}, {"id": "e\u0301", "text": "y"}), {"é": "x", "e\u0301": "y"}, "",
    ),
    "500 objects deep": (
        "a.jsonl", b'{"id": "1", "text": "a", "m": ' + b'{"a": ' * 500 + b"1" + b"}" * 501, {"1": "a"}, "",
    ),
}  # fmt: skip
DATASET = RetrievalDataset(
    {"q1": "What is it?", "q2": "Wer?"}, {"c1": "a", "Café": "b"}, {"q1": ("c1",), "q2": ("Café",)}
)
GOOD = {"question_id": "q1", "chunk_id": "c1", "grade": 2, "judge": "ann"}
JUDGEMENTS: dict[str, tuple[bytes, dict[str, int] | str, str]] = {
    "the last line cut off": (
        lines(GOOD, '{"question_id": "q1", "chu'), {"c1": 2}, "Line 2 of judged.jsonl, its last one, is cut off",
    ),
    "a line cut off in the middle": (lines('{"question_id": "q1", "chu', GOOD), "line 1: this is no JSON", ""),
    "one line, cut off": (lines('{"question_id": "q1", "chu'), "Line 1 of judged.jsonl, its last one, is cut off", ""),
    "a key twice": (b'{"question_id": "q1", "chunk_id": "c1", "grade": 1, "grade": 3}', "stands twice", ""),
    "NaN": (b'{"question_id": "q1", "chunk_id": "c1", "grade": NaN}\n' + lines(GOOD), "the grade is nan", ""),
    **{
        f"the grade {grade!r}": (lines({**GOOD, "grade": grade}), f"the grade is {grade!r}", "")
        for grade in ("1", 1.0, True, -1, "yes", 4)
    },
    "é as two characters": (lines({**GOOD, "chunk_id": "Cafe\u0301"}), {"Café": 2}, ""),
    "an id with a space": (lines({**GOOD, "chunk_id": "c1 "}), {"c1": 2}, ""),
    "an id in capitals": (lines({**GOOD, "chunk_id": "C1"}), "it has 'c1': the case of letters counts", ""),
    "a mark and Windows' line ends": (b"\xef\xbb\xbf" + lines(GOOD) + b"\r\n", {"c1": 2}, ""),
    "UTF-16": (lines(GOOD).decode().encode("utf-16"), {"c1": 2}, ""),
}  # fmt: skip
CASES = [*CHUNKS, *JUDGEMENTS]


@pytest.mark.parametrize("name", CHUNKS)
def test_a_file_of_chunks_is_read_right_or_refused_in_words(name: str, tmp_path: Path) -> None:
    file, content, right, said = CHUNKS[name]
    (tmp_path / file).write_bytes(content)
    config = CorpusConfig(name="chunks", kind="chunks", path=str(tmp_path / file))
    if isinstance(right, str):
        with pytest.raises(CorpusError, match=right):
            read_documents(config, tmp_path)
        return
    _, chunks, report = read_documents(config, tmp_path)
    assert chunks is not None
    assert {chunk.id: chunk.text for chunk in chunks} == right
    assert said in " ".join(report.warnings) + " unread " + " ".join(report.unread_columns)


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_a_file_of_judgements_is_read_right_or_refused_in_words(name: str, tmp_path: Path) -> None:
    content, right, said = JUDGEMENTS[name]
    path = tmp_path / "judged.jsonl"
    path.write_bytes(content)
    if isinstance(right, str):
        with pytest.raises(DatasetError) as caught:
            read_people(path, DATASET)
        assert right in str(caught.value)
        return
    read = read_people(path, DATASET)
    assert {one.chunk_id: one.grade for one in read.judgements} == right
    assert said in " ".join(read.notes)

"""Chunks that exist are taken with their own ids and texts, whatever database they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from embft.config import CorpusConfig
from embft.corpus.documents import corpus_digests, read_documents
from embft.errors import CorpusError

TEXTS = [
    "The keeper reads the gauge.\n\n| a | b |",
    "第二段：潮汐记录。",
    "A third, with a “quote”; and\u2028a separator.",
]
IDS = ["切片-1", "0", "c/3 x"]


def read(path: Path) -> tuple[list[str], list[str], list[tuple[str, int | None]], Any]:
    pages, chunks, report = read_documents(CorpusConfig(name="x", kind="chunks", path=str(path)), path.parent)
    for chunk in chunks:
        page = next(page for page in pages if (page.document, page.number) == (chunk.document, chunk.page))
        assert page.text[chunk.start : chunk.end] == chunk.text
    return [c.id for c in chunks], [c.text for c in chunks], [(c.document, c.page) for c in chunks], report


def lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


EXPORTS: dict[str, tuple[str, Any]] = {
    "plain.jsonl": ("", lambda i, t: {"id": i, "text": t}),
    "mongo.jsonl": ("", lambda i, t: {"_id": i, "content": t, "embedding": [0.1, 0.2]}),
    "langchain.jsonl": ("a.pdf", lambda i, t: {"id": i, "page_content": t, "metadata": {"source": "a.pdf", "page": 7}}),
    "llama.jsonl": ("a.pdf", lambda i, t: {"id_": i, "text": t, "metadata": {"file_name": "a.pdf", "page_label": "7"}}),
    "qdrant.jsonl": ("a.pdf", lambda i, t: {"id": i, "payload": {"text": t, "document": "a.pdf", "page_number": 7}}),
    "pinecone.jsonl": ("", lambda i, t: {"id": i, "values": [1.0], "metadata": {"text": t, "tags": ["x"]}}),
    "weaviate.jsonl": ("", lambda i, t: {"uuid": i, "properties": {"body": t}}),
    "elastic.jsonl": ("", lambda i, t: {"_index": "x", "_id": i, "_source": {"passage": t}}),
    "titled.jsonl": ("Tides", lambda i, t: {"chunk_id": i, "chunk": t, "title": "Tides"}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_json_lines_of_databases_are_read(tmp_path: Path, name: str) -> None:
    document, row = EXPORTS[name]
    path = tmp_path / name
    path.write_text(lines([row(i, t) for i, t in zip(IDS, TEXTS, strict=True)]), encoding="utf-8")
    ids, texts, places, _ = read(path)
    assert (ids, texts) == (IDS, TEXTS)
    assert {place[0] for place in places} == {document or path.stem}
    if document == "a.pdf":
        assert {place[1] for place in places} == {7}


def test_one_object_of_columns_or_of_points_is_read(tmp_path: Path) -> None:
    chroma = {"ids": IDS, "documents": TEXTS, "metadatas": [{"source": "a.md"}] * 3, "embeddings": None}
    qdrant = {"result": {"points": [{"id": i, "payload": {"text": t}} for i, t in zip(IDS, TEXTS, strict=True)]}}
    for name, value in (("chroma.json", chroma), ("qdrant.json", qdrant)):
        (tmp_path / name).write_text(json.dumps(value), encoding="utf-8")
        assert read(tmp_path / name)[:2] == (IDS, TEXTS)


@pytest.mark.parametrize(("encoding", "separator"), [("utf-8-sig", ","), ("gb18030", ";"), ("utf-16", "\t")])
def test_tables_of_any_separator_and_encoding_are_read(tmp_path: Path, encoding: str, separator: str) -> None:
    import csv

    path = tmp_path / "chunks.csv"
    texts = ["第一段，写着：“潮汐”。\n还有一行", "第二段; 有分号, 和逗号", "第三段"]
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(["编号", "正文", "文档", "页码", "备注"])
        writer.writerows([[f"切片-{n}", text, "手册.pdf", n // 2 + 1, "x"] for n, text in enumerate(texts)])
    ids, found, places, report = read(path)
    assert ids == ["切片-0", "切片-1", "切片-2"]
    assert found == texts
    assert places == [("手册.pdf", 1), ("手册.pdf", 1), ("手册.pdf", 2)]
    assert report.unread_columns == ("备注",)


def test_parquet_is_read_and_whole_numbers_stay_whole(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({
        "id": pa.array([0.0, 1.0, 2.0]), "text": TEXTS, "vector": [[0.1] * 4] * 3,
        "metadata": [{"source": "a.md", "page": None}] * 3,
    })  # fmt: skip
    pq.write_table(table, tmp_path / "chunks.parquet")
    ids, texts, places, _ = read(tmp_path / "chunks.parquet")
    assert (ids, texts) == (["0", "1", "2"], TEXTS)
    assert places == [("a.md", None)] * 3


def test_a_column_document_holds_the_text_where_nothing_else_does(tmp_path: Path) -> None:
    path = tmp_path / "pgvector.csv"
    path.write_text('uuid,document,cmetadata\na,the text,"{""source"": ""x.pdf"", ""page"": 3}"\n', encoding="utf-8")
    assert read(path)[:3] == (["a"], ["the text"], [("x.pdf", 3)])


def test_empty_texts_are_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        lines([{"id": "空", "text": " "}, {"id": "b", "text": "words"}, {"id": "c", "text": None}]), encoding="utf-8"
    )
    ids, _, _, report = read(path)
    assert ids == ["b"]
    assert report.empty_chunks == ("空", "c")
    assert report.warnings == ("a.jsonl: 2 chunks have no text and are left out: 空, c",)


WRONG = {
    "a.jsonl": (
        '{"id": "x", "text": "a"}\n{"id": "x", "text": "b"}',
        r"ids that stand more than once.*'x' in rows 1, 2",
    ),
    "b.jsonl": ('{"id": "x", "text": "a"}\n{"text": "b"}', r"1 of 2 rows without an id in its column 'id' \(row 2\)"),
    "c.csv": ("name,words\n1,a\n", r"no column with the chunks' ids .* its columns are name, words: rename"),
    "d.csv": ("id,words\n1,a\n", r"no column with the chunks' texts .* its columns are id, words: rename"),
    "e.csv": ("id,text\n1,a,b,c\n", r"4 cells in row 1 and 2 columns in its first line \(id, text\)"),
    "f.csv": ('id,text\n1,"never closed\n2,b\n', r"no table that can be read, in line \d"),
    "g.jsonl": ('{"id": 1, "text": "a"}\n{"id": 2, "text"', r"not JSON in line 2"),
    "h.jsonl": ('{"id": 1, "id": 2, "text": "a"}', r"the key 'id' stands twice"),
    "i.jsonl": ("[1, 2]", r"holds no rows"),
    "j.parquet": ("PAR1 nonsense", r"no Parquet file"),
    "k.csv": ("id,id,text\n1,2,a\n", r"two columns 'id'"),
    "l.jsonl": ('{"id": 1, "text": ""}', r"no column with the chunks' texts|no text in its column"),
    "m.jsonl": ("[" * 100_000, r"not JSON|nested too deeply"),
    "n.csv": ("", r"is empty"),
    "o.csv": ("id,text\n", r"holds no rows"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, name: str) -> None:
    content, message = WRONG[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=message) as caught:
        read(tmp_path / name)
    assert str(caught.value).startswith(f"corpus.path={tmp_path / name} ")


def test_a_missing_file_or_a_folder_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="there is no such file"):
        read(tmp_path / "absent.csv")
    with pytest.raises(CorpusError, match="is a folder"):
        read(tmp_path)


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    config = CorpusConfig(name="x", kind="chunks", path=str(path))
    digests = []
    for text in ("a", "b"):
        path.write_text(lines([{"id": 1, "text": text}]))
        digests.append(corpus_digests(config, tmp_path))
    assert digests[0] != digests[1]

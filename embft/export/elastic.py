"""Mappings and bulk files for Elasticsearch 8 and later; OpenSearch takes them with its own type of vectors.

Terms are indexed as the run cut them (any language: stems, jieba, pairs of characters), so a whitespace analyser gives the same
index. Pairs of neighbouring terms are shingles. BM25 of chunks, of their windows, and vectors are three searches; their scores
are scaled and mixed by whoever asks (check.py does it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from embft.export.contents import Contents
from embft.files import write_json, write_jsonl

_KEYWORD = {"type": "keyword"}
_STORED = {"type": "text", "index": False}


def write_elasticsearch(contents: Contents, folder: Path) -> None:
    """Writes ``elasticsearch/``: for each index its mapping (``PUT /NAME``) and its documents (``POST /_bulk``)."""
    target = folder / "elasticsearch"
    target.mkdir()
    lexical, dense = contents.lexical, contents.dense
    terms = {row.id: row for row in lexical.rows} if lexical else {}
    write_json(target / "chunks.json", _mapping(contents, _chunk_fields(contents)))
    chunks = []
    for chunk in contents.chunks:
        indexed = {"terms": " ".join(terms[chunk.id].terms)} if lexical else {}
        # The shingles come from the same terms.
        chunks.append(asdict(chunk) | indexed | ({"pairs": indexed["terms"]} if lexical else {}))
    _bulk(target / "chunks.ndjson", "chunks", ((str(row["id"]), row) for row in chunks))
    if lexical and any(row.windows for row in lexical.rows):
        write_json(target / "bm25_windows.json", _mapping(contents, {"chunk_id": _KEYWORD, "terms": _indexed("terms")}))
        rows = (
            (f"{row.id}-{at}", {"chunk_id": row.id, "terms": " ".join(part)})
            for row in lexical.rows
            for at, part in enumerate(row.windows)
        )
        _bulk(target / "bm25_windows.ndjson", "bm25_windows", rows)
    if dense:
        vector = {"type": "dense_vector", "dims": dense.vectors.shape[1], "index": True, "similarity": "cosine"}
        write_json(
            target / "windows.json", _mapping(contents, {"chunk_id": _KEYWORD, "text": _STORED, "vector": vector})
        )
        passages = dense.passages
        rows = (
            (
                str(at),
                {
                    "chunk_id": passages.chunk_ids[owner],
                    "text": passages.texts[at],
                    "vector": dense.vectors[at].tolist(),
                },
            )
            for at, owner in enumerate(passages.owner.tolist())
        )
        _bulk(target / "windows.ndjson", "windows", rows)
    write_json(target / "requests.json", _requests(contents))


def _chunk_fields(contents: Contents) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": _KEYWORD, "text": _STORED, "context": _STORED, "document": _KEYWORD, "page": {"type": "integer"},
        "start": {"type": "integer"}, "end": {"type": "integer"},
    }  # fmt: skip
    if contents.lexical:
        fields |= {"terms": _indexed("terms"), "pairs": _indexed("pairs")}
    return fields


def _indexed(analyzer: str) -> dict[str, object]:
    return {"type": "text", "analyzer": analyzer, "similarity": "run"}


def _mapping(contents: Contents, fields: Mapping[str, object]) -> dict[str, object]:
    retrieval = contents.run.config.retrieval
    return {
        "settings": {
            "index": {"similarity": {"run": {"type": "BM25", "k1": retrieval.bm25_k1, "b": retrieval.bm25_b}}},
            # One shard: BM25's statistics are those of the whole index.
            "number_of_shards": 1,
            "analysis": {
                "filter": {
                    "pairs": {"type": "shingle", "min_shingle_size": 2, "max_shingle_size": 2, "output_unigrams": False}
                },
                "analyzer": {
                    "terms": {"type": "custom", "tokenizer": "whitespace"},
                    "pairs": {"type": "custom", "tokenizer": "whitespace", "filter": ["pairs"]},
                },
            },
        },
        "mappings": {"dynamic": "strict", "properties": dict(fields)},
    }


def _bulk(path: Path, index: str, rows: Iterable[tuple[str, Mapping[str, object]]]) -> None:
    def lines() -> Iterable[Mapping[str, object]]:
        for key, row in rows:
            yield {"index": {"_index": index, "_id": key}}
            yield row

    write_jsonl(path, lines())


def _requests(contents: Contents) -> dict[str, object]:
    """The searches of the first test question, as a program would send them."""
    requests: dict[str, object] = {}
    key = next(iter(contents.run.test.queries))
    chunks = len(contents.chunks)
    if contents.lexical:
        terms, pairs = contents.lexical.questions[key]
        share = contents.run.config.retrieval.bm25_pairs
        words = [{"term": {"terms": term}} for term in terms]
        shingles = [{"term": {"pairs": {"value": pair, "boost": share}}} for pair in pairs] if share else []
        requests["chunks/_search"] = {"size": chunks, "query": {"bool": {"should": [*words, *shingles]}}}
        if any(row.windows for row in contents.lexical.rows):
            requests["bm25_windows/_search"] = {
                "size": chunks, "query": {"bool": {"should": words}}, "collapse": {"field": "chunk_id"},
            }  # fmt: skip
    if contents.dense:
        requests["windows/_search"] = {
            "size": chunks,
            "query": {
                "script_score": {
                    "query": {"match_all": {}},
                    "script": {
                        "source": "cosineSimilarity(params.asked, 'vector') + 1.0",
                        "params": {"asked": "the question's vector"},
                    },
                }
            },
            "collapse": {"field": "chunk_id"},
        }
    return {"question": contents.run.test.queries[key], "searches": requests}

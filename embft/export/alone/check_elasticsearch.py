"""The part of check.py that scores the bulk files as Elasticsearch and OpenSearch document it, without a server.

BM25 is Lucene's, with the length of a field kept in one byte (org.apache.lucene.util.SmallFloat.intToByte4); a bool query sums
its clauses; vectors score by cosineSimilarity. Against a server, `requests.json` has the three searches of the first question.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from embft.export.alone.scoring import (
    Array,
    Lexical,
    best_by_chunk,
    check,
    finish,
    question_vectors,
    read_json,
    read_lines,
)


def documents(name: str) -> list[Any]:
    """The documents of a bulk file."""
    return read_lines(f"elasticsearch/{name}.ndjson")[1::2]


def main() -> int:
    """The three searches, mixed."""
    search = read_json("search.json")
    settings = read_json("elasticsearch/chunks.json")["settings"]["index"]["similarity"]["run"]
    search["bm25"] |= {"k1": settings["k1"], "b": settings["b"]}
    chunks = sorted(documents("chunks"), key=lambda row: row["id"])
    chunk_ids = [row["id"] for row in chunks]
    place = {chunk: at for at, chunk in enumerate(chunk_ids)}
    lexical = dense = None
    if "terms" in chunks[0]:
        windows = documents("bm25_windows") if search["bm25"]["window"] else []
        lexical = Lexical(
            [row["terms"].split() for row in chunks],
            [row["terms"].split() for row in windows],
            [place[row["chunk_id"]] for row in windows],
            search,
            lucene=True,
        )
    if search["weight"] > 0:
        rows = documents("windows")
        vectors = np.array([row["vector"] for row in rows], np.float32)
        owner = np.array([place[row["chunk_id"]] for row in rows])

        def dense(texts: list[str]) -> Iterable[Array]:
            for asked in question_vectors(texts, search):
                yield np.round(best_by_chunk(vectors @ asked, owner, len(chunk_ids)), 6)

    return check(chunk_ids, dense, lexical)


if __name__ == "__main__":
    finish(main())

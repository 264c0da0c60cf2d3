"""The part of check.py that reads windows.parquet."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from embft.export.alone.scoring import (
    HERE,
    Array,
    best_by_chunk,
    check,
    finish,
    question_vectors,
    read_json,
    read_lexical,
)


def main() -> int:
    """Vectors and chunks from Parquet."""
    import pyarrow.parquet as pq

    chunk_ids = pq.read_table(HERE / "chunks.parquet", columns=["id"])["id"].to_pylist()
    dense = None
    if (HERE / "windows.parquet").is_file():
        table = pq.read_table(HERE / "windows.parquet")
        vectors = np.stack(table["vector"].to_numpy())
        place = {chunk: at for at, chunk in enumerate(chunk_ids)}
        owner = np.array([place[chunk] for chunk in table["chunk_id"].to_pylist()])

        def dense(texts: list[str]) -> Iterable[Array]:
            for asked in question_vectors(texts, read_json("search.json")):
                yield np.round(best_by_chunk(vectors @ asked, owner, len(chunk_ids)), 6)

    return check(chunk_ids, dense, read_lexical(chunk_ids))


if __name__ == "__main__":
    finish(main())

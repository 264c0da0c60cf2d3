"""The part of check.py that asks the LanceDB tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from embft.export.alone.scoring import HERE, Array, check, finish, question_vectors, read_json, read_lexical


def main() -> int:
    """Chunks and windows from the tables, searched by LanceDB itself."""
    import lancedb

    database = lancedb.connect(str(HERE / "lancedb"))
    chunk_ids = sorted(database.open_table("chunks").to_arrow()["id"].to_pylist())
    windows = database.open_table("windows")
    place = {chunk: at for at, chunk in enumerate(chunk_ids)}
    count = windows.count_rows()

    def dense(texts: list[str]) -> Iterable[Array]:
        for asked in question_vectors(texts, read_json("search.json")):
            query: Any = windows.search(asked)
            found = query.distance_type("dot").limit(count).select(["chunk_id", "_distance"]).to_arrow()
            row = np.full(len(chunk_ids), -np.inf)
            for chunk, distance in zip(found["chunk_id"].to_pylist(), found["_distance"].to_pylist(), strict=True):
                at = place[chunk]
                row[at] = max(row[at], 1 - distance)  # LanceDB gives 1 - dot
            yield np.round(row, 6)

    return check(chunk_ids, dense, read_lexical(chunk_ids))


if __name__ == "__main__":
    finish(main())

"""The part of check.py that asks the Qdrant collection."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from embft.export.alone.scoring import HERE, Array, check, finish, question_vectors, read_json, read_lexical


def main() -> int:
    """Chunks and windows from the collections, searched by Qdrant itself."""
    from qdrant_client import QdrantClient

    client = QdrantClient(path=str(HERE / "qdrant"))
    search = read_json("search.json")
    points, _ = client.scroll("chunks", limit=search["chunks"])
    chunk_ids = sorted((point.payload or {})["id"] for point in points)
    place = {chunk: at for at, chunk in enumerate(chunk_ids)}
    count = client.count("windows").count

    def dense(texts: list[str]) -> Iterable[Array]:
        for asked in question_vectors(texts, search):
            found = client.query_points("windows", query=asked.tolist(), limit=count, with_payload=["chunk_id"]).points
            row = np.full(len(chunk_ids), -np.inf)
            for point in found:  # MaxP: a chunk scores as its best window
                at = place[(point.payload or {})["chunk_id"]]
                row[at] = max(row[at], point.score)
            yield np.round(row, 6)

    return check(chunk_ids, dense, read_lexical(chunk_ids))


if __name__ == "__main__":
    finish(main())

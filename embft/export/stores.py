"""Qdrant's and LanceDB's files: windows with vectors and their chunk, and the chunks themselves."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from embft.export.contents import Contents, window_counts

_BLOCK = 512


def write_qdrant(contents: Contents, folder: Path) -> None:
    """Makes the collections ``windows`` and ``chunks`` with qdrant-client's local mode; a server takes them by `migrate`."""
    from qdrant_client import QdrantClient
    from qdrant_client.models import Distance, PointStruct, VectorParams

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # local mode warns of large collections
        client = QdrantClient(path=str(folder / "qdrant"))
        client.create_collection("chunks", vectors_config={})
        rows = [PointStruct(id=at, vector={}, payload=asdict(row)) for at, row in enumerate(contents.chunks)]
        for start in range(0, len(rows), _BLOCK):
            client.upsert("chunks", rows[start : start + _BLOCK])
        if contents.dense is not None:
            vectors = contents.dense.vectors
            client.create_collection(
                "windows", vectors_config=VectorParams(size=vectors.shape[1], distance=Distance.DOT)
            )
            block = []
            for at, payload in enumerate(_windows(contents)):
                block.append(PointStruct(id=at, vector=vectors[at].tolist(), payload=payload))
                if len(block) == _BLOCK:
                    client.upsert("windows", block)
                    block = []
            if block:
                client.upsert("windows", block)
        client.close()


def write_lancedb(contents: Contents, folder: Path) -> None:
    """Makes the tables ``windows`` and ``chunks``."""
    import lancedb
    import pyarrow as pa

    database = lancedb.connect(str(folder / "lancedb"))
    chunks = [asdict(row) for row in contents.chunks]
    database.create_table("chunks", pa.Table.from_pylist(chunks))
    if contents.dense is None:
        return
    vectors, rows = contents.dense.vectors, list(_windows(contents))
    table = pa.table(
        {
            **{name: [row[name] for row in rows] for name in ("chunk_id", "window", "text", "document", "page")},
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1), pa.float32()), vectors.shape[1]),
        }
    )
    database.create_table("windows", table)


def _windows(contents: Contents) -> Iterator[dict[str, object]]:
    """What stands beside each vector."""
    dense = contents.dense
    assert dense is not None
    at = 0
    for chunk, count in zip(contents.chunks, window_counts(dense.passages), strict=True):
        for window in range(count):
            yield {
                "chunk_id": chunk.id,
                "window": window,
                "text": dense.passages.texts[at],
                "document": chunk.document,
                "page": chunk.page,
            }
            at += 1

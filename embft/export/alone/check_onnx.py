"""The part of check.py that embeds questions and windows by onnx/*.onnx; an argument names another file: model_int8.onnx."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from embft.export.alone.scoring import (
    HERE,
    Array,
    best_by_chunk,
    check,
    finish,
    read_json,
    read_lexical,
)


def opened_in(folder: Path, name: str) -> tuple[Any, Any]:
    """Session and tokenizer; with them `embed` needs neither torch nor transformers."""
    import onnxruntime
    from tokenizers import Tokenizer

    described = json.loads((folder / "tokenizing.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    if described["max_seq_length"]:
        tokenizer.enable_truncation(described["max_seq_length"], direction=described["truncation_side"])
    tokenizer.enable_padding(
        direction=described["padding_side"], pad_id=described["pad_id"], pad_token=described["pad_token"]
    )
    session = onnxruntime.InferenceSession(str(folder / name), providers=["CPUExecutionProvider"])
    return session, tokenizer


def embed(opened: tuple[Any, Any], prompt: str, texts: list[str], batch: int = 32) -> Array:
    """Vectors of length 1, float32 [n_texts, dim]."""
    session, tokenizer = opened
    names = [given.name for given in session.get_inputs()]
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))  # of like length: less padding
    vectors: list[Any] = [None] * len(texts)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        encoded = tokenizer.encode_batch([prompt + texts[at] for at in part])
        given = {
            "input_ids": np.array([row.ids for row in encoded], np.int64),
            "attention_mask": np.array([row.attention_mask for row in encoded], np.int64),
            "token_type_ids": np.array([row.type_ids for row in encoded], np.int64),
        }
        rows = session.run(None, {name: given[name] for name in names})[0].astype(np.float32)
        for at, row in zip(part, rows / np.linalg.norm(rows, axis=1, keepdims=True), strict=True):
            vectors[at] = row
    return np.stack(vectors)


def main() -> int:
    """All vectors by the ONNX graph; those of the windows are compared with the ones that were ranked."""
    import pyarrow.parquet as pq

    name = sys.argv[1] if len(sys.argv) > 1 else "model.onnx"
    search, opened = read_json("search.json"), opened_in(HERE / "onnx", name)
    chunk_ids = pq.read_table(HERE / "chunks.parquet", columns=["id"])["id"].to_pylist()
    table = pq.read_table(HERE / "windows.parquet")
    windows = embed(opened, search["document_prompt"], table["text"].to_pylist())
    cosines = (windows * np.stack(table["vector"].to_numpy())).sum(axis=1)
    print(f"{name}: least cosine to the vectors that were ranked {cosines.min():.6f}, mean {cosines.mean():.6f}")
    place = {chunk: at for at, chunk in enumerate(chunk_ids)}
    owner = np.array([place[chunk] for chunk in table["chunk_id"].to_pylist()])

    def dense(texts: list[str]) -> Iterable[Array]:
        for asked in embed(opened, search["query_prompt"], texts):
            yield np.round(best_by_chunk(windows @ asked, owner, len(chunk_ids)), 6)

    return check(chunk_ids, dense, read_lexical(chunk_ids))


if __name__ == "__main__":
    finish(main())

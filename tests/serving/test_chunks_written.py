"""Chunks of a run as Parquet: the same however many are written at once."""

from __future__ import annotations

import pytest

from embft.serving import run_files
from embft.serving.run_files import ChunkRow, write_chunks


@pytest.mark.parametrize("at_once", [1, 3, 100])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_parts_change_no_chunk(tmp_path, monkeypatch, at_once, count):
    monkeypatch.setattr(run_files, "_ROWS_WRITTEN", at_once)
    rows = [
        ChunkRow(f"c{n}", f"text {n} 漢", "a.pdf" if n % 2 else "", n or None, n, n + 5, "title") for n in range(count)
    ]
    write_chunks(tmp_path / "search" / "chunks.parquet", iter(rows))
    assert list(run_files._read_chunks(tmp_path / "search" / "chunks.parquet")) == rows

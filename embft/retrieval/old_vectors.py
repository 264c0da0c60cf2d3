"""Vectors that an older version kept in ``vectors.sqlite``: read from there as they are asked for, never written."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.models.vectors import Vectors
from embft.services.vectors import usable_rows
from embft.sqlite_file import SqliteFile
from embft.sqlite_rows import Table, checksum

logger = logging.getLogger(__name__)

_LOOKUP = 900
"""Keys a query; sqlite allows 999 parameters in old builds."""


class OldVectors:
    """A sqlite table of float32 blobs.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, model: str, keys: Sequence[bytes]) -> tuple[npt.NDArray[np.bool_], Vectors]:
        """Which of some distinct keys have a usable vector, all of one length; and these vectors, float32 [n_known, length]."""
        with closing(SqliteFile(self.path, [_VECTORS, _LENGTHS], "vectors")) as file:
            known, vectors, damaged = file.use(lambda connection: _read(connection, model, keys))
        if damaged:
            logger.warning("%s holds damaged vectors of %s: they are made again.", self.path, model)
        return known, vectors


def _is_whole_vector(row: Sequence[Any]) -> bool:
    key, blob, check = row
    if not isinstance(key, bytes) or not isinstance(blob, bytes) or not blob or len(blob) % 4:
        return False
    return check in (None, checksum(key, blob))  # the oldest stored none


def _is_whole_length(row: Sequence[Any]) -> bool:
    model, length, check = row
    if not isinstance(model, str) or not isinstance(length, int) or length <= 0:
        return False
    return check in (None, checksum(model, str(length)))


_VECTORS = Table(
    "vectors",
    {"key": "BLOB PRIMARY KEY", "vector": "BLOB NOT NULL", "checksum": "INTEGER"},
    _is_whole_vector,
    "bytes",
)
_LENGTHS = Table(
    "lengths",
    {"model": "TEXT PRIMARY KEY", "length": "INTEGER NOT NULL", "checksum": "INTEGER"},
    _is_whole_length,
    "text",
)


def _read(
    connection: sqlite3.Connection, model: str, keys: Sequence[bytes]
) -> tuple[npt.NDArray[np.bool_], Vectors, bool]:
    """As `OldVectors.read`; and whether anything of it is damaged."""
    known = np.zeros(len(keys), np.bool_)
    row = connection.execute("SELECT model, length, checksum FROM lengths WHERE model = ?", (model,)).fetchone()
    sound = row is not None and _is_whole_length(row)
    damaged = row is not None and not sound
    length = int(row[1]) if sound else _only_length(connection, keys)
    if length is None:
        return known, np.zeros((0, 0), np.float32), damaged
    parts = [np.zeros((0, length), np.float32)]
    for start in range(0, len(keys), _LOOKUP):
        place = {key: start + at for at, key in enumerate(keys[start : start + _LOOKUP])}
        rows = _stored(connection, list(place))
        whole = sorted((place[row[0]], row[1]) for row in rows if _is_whole_vector(row) and len(row[1]) == 4 * length)
        vectors = np.frombuffer(b"".join(blob for _, blob in whole), "<f4").reshape(len(whole), length)
        usable = usable_rows(vectors)
        known[np.array([at for at, _ in whole], np.int64)[usable]] = True
        parts.append(vectors[usable])
        damaged = damaged or int(usable.sum()) < len(rows)
    return known, np.concatenate(parts), damaged


def _stored(connection: sqlite3.Connection, block: Sequence[bytes]) -> list[tuple[Any, ...]]:
    marks = ",".join("?" * len(block))
    rows: list[tuple[Any, ...]] = connection.execute(
        f"SELECT key, vector, checksum FROM vectors WHERE key IN ({marks})", block
    ).fetchall()
    return rows


def _only_length(connection: sqlite3.Connection, keys: Sequence[bytes]) -> int | None:
    """Of the vectors of one model, where the oldest version wrote none down; None where there are two, or none."""
    lengths: set[int] = set()
    for start in range(0, len(keys), _LOOKUP):
        rows = _stored(connection, keys[start : start + _LOOKUP])
        lengths.update(len(row[1]) // 4 for row in rows if _is_whole_vector(row))
    return lengths.pop() if len(lengths) == 1 else None

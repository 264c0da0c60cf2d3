"""Vectors on disk, so that no text is embedded, or paid for, twice.

One sqlite table of float32 blobs, keyed by the hash of (model, prompt, text), and one of the length of each model's
vectors, which is the same for ever. Several processes may use them at once. What is stored is looked at again when it is
read: a blob that is not what was written, that is no usable vector, or none of its model's length, counts as missing.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.errors import EndpointError, ModelError
from embft.progress import progress
from embft.services.vectors import usable_rows
from embft.sqlite_file import SqliteFile
from embft.sqlite_rows import Table, checksum

logger = logging.getLogger(__name__)

Vectors = npt.NDArray[np.float32]

_BLOCK = 512
"""Texts embedded before their vectors are stored, unless the caller says otherwise: what a kill can lose."""
_LOOKUP = 900
"""Keys a query; sqlite allows 999 parameters in old builds."""


class VectorCache:
    """A cache of vectors in the file ``path``.

    Args:
        path: The sqlite file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def encode(
        self,
        model: str,
        prompt: str,
        texts: Sequence[str],
        encode: Callable[[Sequence[str]], Vectors],
        at_once: int | None = None,
    ) -> Vectors:
        """Returns float32 [n_texts, dim], calling ``encode`` for the distinct texts that are not there yet.

        Args:
            model: Names the function from text to vector; another identity, other vectors.
            prompt: Put before each text; part of the key.
            texts: May hold duplicates.
            encode: Embeds texts (which do not carry the prompt) in order.
            at_once: Texts that it gets at once, if not as many as can be lost.

        Raises:
            EndpointError: Vectors of another length than those that are stored of this model.
            ModelError: Vectors that are not finite, or not one for each text.
        """
        keys = [_key(model, prompt, text) for text in texts]
        place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
        with closing(self._open()) as file, progress("embedding", unit="texts") as work:
            known, table = self._read(file, model, list(place))
            missing = {key: text for key, text in zip(keys, texts, strict=True) if not known[place[key]]}
            # Longest first: batches of like length waste no padding, and memory runs out at once or never.
            order = sorted(missing, key=lambda key: -len(missing[key]))
            size, work.total = at_once or _BLOCK, len(order)
            for start in range(0, len(order), size):
                block = order[start : start + size]
                vectors = encode([missing[key] for key in block])
                self._write(file, model, block, vectors)
                if table is None:
                    table = np.empty((len(place), vectors.shape[1]), np.float32)
                if vectors.shape[1] != table.shape[1]:
                    # An older version kept vectors of several lengths; the model has just shown which is its own.
                    return self.encode(model, prompt, texts, encode, at_once)
                table[[place[key] for key in block]] = vectors
                work.reach(start + len(block))
        if table is None:
            return np.zeros((0, 0), np.float32)
        return table if len(place) == len(keys) else table[[place[key] for key in keys]]

    def store(self, model: str, prompt: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Puts vectors that were made elsewhere, such as by the last evaluation of a training, under their keys."""
        with closing(self._open()) as file:
            self._write(file, model, [_key(model, prompt, text) for text in texts], vectors)

    def _open(self) -> SqliteFile:
        return SqliteFile(self.path, [_VECTORS, _LENGTHS], "vectors")

    def _read(
        self, file: SqliteFile, model: str, keys: Sequence[bytes]
    ) -> tuple[npt.NDArray[np.bool_], Vectors | None]:
        """Which of some distinct keys have a usable vector, all of one length; and these, float32 [n_keys, dim]."""
        if file.use(lambda connection: _forget_damaged_length(connection, model)):
            logger.warning(
                "%s holds no sound length of the vectors of %s: it is taken from the vectors.", self.path, model
            )
        known, table, there = file.use(lambda connection: _read(connection, model, keys))
        usable = int(known.sum())
        if usable < there:
            logger.warning(
                "%s holds %s vectors of %s that are damaged or cannot be used: they are made again.",
                self.path, f"{there - usable:,}", model,
            )  # fmt: skip
        return known, table

    def _write(self, file: SqliteFile, model: str, keys: Sequence[bytes], vectors: Vectors) -> None:
        if not len(keys):
            return
        if vectors.ndim != 2 or len(vectors) != len(keys) or not vectors.shape[1] or not usable_rows(vectors).all():
            raise ModelError(
                f"{model} gave {len(keys):,} texts something else than one vector of finite numbers each. Nothing of it is "
                "kept; if the model runs in half precision, retrieval.precision=fp32 may mend it."
            )
        blobs = [np.asarray(vector, "<f4").tobytes() for vector in vectors]
        rows = [(key, blob, checksum(key, blob)) for key, blob in zip(keys, blobs, strict=True)]
        length = file.use(lambda connection: _put(connection, model, vectors.shape[1], rows))
        if length != vectors.shape[1]:
            raise EndpointError(
                f"{model} gives vectors of {vectors.shape[1]:,} numbers now, and gave {length:,} before: another model "
                f"stands behind the same name. Have the first one served again, give the new one a name of its own, or "
                f"start with an empty cache (cache_dir=DIR, or move {self.path} away). Nothing of it is kept."
            )


def _put(connection: sqlite3.Connection, model: str, length: int, rows: Sequence[tuple[bytes, bytes, int]]) -> int:
    """Stores vectors, if they have the length of those that are there; returns that length."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        stored = _length_of(connection, model)
        if stored is None:
            row = (model, length, checksum(model, str(length)))
            connection.execute("INSERT OR REPLACE INTO lengths VALUES (?, ?, ?)", row)
        if stored in (None, length):
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return length if stored is None else stored


def _is_whole_vector(row: Sequence[Any]) -> bool:
    key, blob, check = row
    if not isinstance(key, bytes) or not isinstance(blob, bytes) or not blob or len(blob) % 4:
        return False
    return check in (None, checksum(key, blob))  # an older version stored none


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


def _key(model: str, prompt: str, text: str) -> bytes:
    return hashlib.sha256(f"{model}\0{prompt}\0{text}".encode("utf-8", "surrogatepass")).digest()[:16]


def _length_of(connection: sqlite3.Connection, model: str) -> int | None:
    row = connection.execute("SELECT model, length, checksum FROM lengths WHERE model = ?", (model,)).fetchone()
    return int(row[1]) if row is not None and _is_whole_length(row) else None


def _forget_damaged_length(connection: sqlite3.Connection, model: str) -> bool:
    """Removes the length of a model's vectors if it is not what was written; returns whether it did."""
    row = connection.execute("SELECT model, length, checksum FROM lengths WHERE model = ?", (model,)).fetchone()
    if row is None or _is_whole_length(row):
        return False
    connection.execute("DELETE FROM lengths WHERE model = ?", (model,))
    return True


def _read(
    connection: sqlite3.Connection, model: str, keys: Sequence[bytes]
) -> tuple[npt.NDArray[np.bool_], Vectors | None, int]:
    """Which of some distinct keys have a usable vector, all of one length; these vectors; and how many are stored.

    Each is written to its place in the table as it comes: twice the vectors of a large corpus would not fit into memory.
    """
    known = np.zeros(len(keys), bool)
    table: Vectors | None = None
    there = 0
    length = _length_of(connection, model)
    if length is None:  # stored by an older version, which looked at nothing
        length = _most_frequent_length(connection, keys)
    for start in range(0, len(keys), _LOOKUP):
        block = list(keys[start : start + _LOOKUP])
        place = {key: start + at for at, key in enumerate(block)}
        rows = _stored(connection, block)
        there += len(rows)
        whole = [row for row in rows if _is_whole_vector(row) and length is not None and len(row[1]) == 4 * length]
        if length is None or not whole:
            continue
        vectors = np.frombuffer(b"".join(blob for _, blob, _ in whole), "<f4").reshape(len(whole), length)
        usable = usable_rows(vectors)
        places = np.array([place[key] for key, _, _ in whole])[usable]
        if table is None:
            table = np.empty((len(keys), length), np.float32)
        table[places] = vectors[usable]
        known[places] = True
    return known, table if known.any() else None, there


def _stored(connection: sqlite3.Connection, block: Sequence[bytes]) -> list[tuple[Any, ...]]:
    marks = ",".join("?" * len(block))
    rows: list[tuple[Any, ...]] = connection.execute(
        f"SELECT key, vector, checksum FROM vectors WHERE key IN ({marks})", block
    ).fetchall()
    return rows


def _most_frequent_length(connection: sqlite3.Connection, keys: Sequence[bytes]) -> int | None:
    """Of the vectors of one model; None where two lengths are equally frequent, so that neither is to be trusted."""
    counts: Counter[int] = Counter()
    for start in range(0, len(keys), _LOOKUP):
        rows = _stored(connection, keys[start : start + _LOOKUP])
        counts.update(len(row[1]) // 4 for row in rows if _is_whole_vector(row))
    first = counts.most_common(2)
    return None if not first or (len(first) == 2 and first[0][1] == first[1][1]) else first[0][0]

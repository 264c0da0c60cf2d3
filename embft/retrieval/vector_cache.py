"""Vectors on disk, so that no text is embedded, or paid for, twice.

One sqlite table of float32 blobs, keyed by the hash of (model, prompt, text), and one of the length of each model's
vectors, which is the same for ever. Several processes may use them at once. What is stored is looked at again when it is
read: a blob that is no usable vector, or none of its model's length, counts as missing.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embft.errors import EndpointError, ModelError
from embft.services.vectors import usable_rows

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
        with closing(self._connect()) as connection:
            known = _read(connection, model, keys)
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            # Longest first: batches of like length waste no padding, and memory runs out at once or never.
            order = sorted(missing, key=lambda key: -len(missing[key]))
            size = at_once or _BLOCK
            for start in range(0, len(order), size):
                block = order[start : start + size]
                vectors = encode([missing[key] for key in block])
                self._write(connection, model, block, vectors)
                known.update(zip(block, vectors, strict=True))
        if len({len(vector) for vector in known.values()}) > 1:
            # An older version kept vectors of several lengths; the model has just shown which is its own.
            return self.encode(model, prompt, texts, encode, at_once)
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, 0), np.float32)

    def store(self, model: str, prompt: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Puts vectors that were made elsewhere, such as by the last evaluation of a training, under their keys."""
        with closing(self._connect()) as connection:
            self._write(connection, model, [_key(model, prompt, text) for text in texts], vectors)

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS lengths (model TEXT PRIMARY KEY, length INTEGER NOT NULL) WITHOUT ROWID"
        )
        return connection

    def _write(self, connection: sqlite3.Connection, model: str, keys: Sequence[bytes], vectors: Vectors) -> None:
        if not len(keys):
            return
        if vectors.ndim != 2 or len(vectors) != len(keys) or not vectors.shape[1] or not usable_rows(vectors).all():
            raise ModelError(
                f"{model} gave {len(keys):,} texts something else than one vector of finite numbers each. Nothing of it is "
                "kept; if the model runs in half precision, retrieval.precision=fp32 may mend it."
            )
        rows = [(key, np.asarray(vector, "<f4").tobytes()) for key, vector in zip(keys, vectors, strict=True)]
        connection.execute("BEGIN IMMEDIATE")
        try:
            length = _length_of(connection, model)
            if length is None:
                connection.execute("INSERT INTO lengths VALUES (?, ?)", (model, vectors.shape[1]))
            elif length != vectors.shape[1]:
                raise EndpointError(
                    f"{model} gives vectors of {vectors.shape[1]:,} numbers now, and gave {length:,} before: another model "
                    f"stands behind the same name. Have the first one served again, give the new one a name of its own, or "
                    f"start with an empty cache (cache_dir=DIR, or move {self.path} away). Nothing of it is kept."
                )
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _key(model: str, prompt: str, text: str) -> bytes:
    return hashlib.sha256(f"{model}\0{prompt}\0{text}".encode("utf-8", "surrogatepass")).digest()[:16]


def _length_of(connection: sqlite3.Connection, model: str) -> int | None:
    row = connection.execute("SELECT length FROM lengths WHERE model = ?", (model,)).fetchone()
    return row[0] if row is not None and isinstance(row[0], int) and row[0] > 0 else None


def _read(connection: sqlite3.Connection, model: str, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
    """The usable vectors among those that are stored, all of one length."""
    stored: dict[bytes, bytes] = {}
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), _LOOKUP):
        block = distinct[start : start + _LOOKUP]
        marks = ",".join("?" * len(block))
        rows = connection.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", block)
        stored.update((key, blob) for key, blob in rows if isinstance(blob, bytes) and blob and len(blob) % 4 == 0)
    if not stored:
        return {}
    length = _length_of(connection, model)
    if length is None:  # stored by an older version, which looked at nothing
        length = _most_frequent_length(stored)
    whole = [key for key, blob in stored.items() if length is not None and len(blob) == 4 * length]
    if length is None or not whole:
        return {}
    table = np.frombuffer(b"".join(stored[key] for key in whole), "<f4").reshape(len(whole), length)
    return {key: row for key, row, usable in zip(whole, table, usable_rows(table), strict=True) if usable}


def _most_frequent_length(stored: Mapping[bytes, bytes]) -> int | None:
    """Of the vectors of one model; None where two lengths are equally frequent, so that neither is to be trusted."""
    counted = Counter(len(blob) // 4 for blob in stored.values()).most_common(2)
    return None if len(counted) == 2 and counted[0][1] == counted[1][1] else counted[0][0]

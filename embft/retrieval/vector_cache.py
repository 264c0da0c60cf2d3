"""Vectors on disk, so that no text is embedded, or paid for, twice.

One sqlite table of float32 blobs, keyed by the hash of (model, prompt, text). Several processes may use it at once.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

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
        """
        keys = [_key(model, prompt, text) for text in texts]
        with closing(self._connect()) as connection:
            known = _read(connection, keys)
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            # Longest first: batches of like length waste no padding, and memory runs out at once or never.
            order = sorted(missing, key=lambda key: -len(missing[key]))
            size = at_once or _BLOCK
            for start in range(0, len(order), size):
                block = order[start : start + size]
                vectors = encode([missing[key] for key in block])
                _write(connection, block, vectors)
                known.update(zip(block, vectors, strict=True))
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, 0), np.float32)

    def store(self, model: str, prompt: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Puts vectors that were made elsewhere, such as by the last evaluation of a training, under their keys."""
        with closing(self._connect()) as connection:
            _write(connection, [_key(model, prompt, text) for text in texts], vectors)

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
        )
        return connection


def _key(model: str, prompt: str, text: str) -> bytes:
    return hashlib.sha256(f"{model}\0{prompt}\0{text}".encode("utf-8", "surrogatepass")).digest()[:16]


def _read(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
    found: dict[bytes, Vectors] = {}
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), _LOOKUP):
        block = distinct[start : start + _LOOKUP]
        marks = ",".join("?" * len(block))
        rows = connection.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", block)
        found.update((key, np.frombuffer(blob, "<f4")) for key, blob in rows)
    return found


def _write(connection: sqlite3.Connection, keys: Sequence[bytes], vectors: Vectors) -> None:
    rows = [(key, np.asarray(vector, "<f4").tobytes()) for key, vector in zip(keys, vectors, strict=True)]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
    connection.execute("COMMIT")

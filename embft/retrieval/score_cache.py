"""Scores of rerankers on disk: what was worked out, or paid for, is not worked out again.

A row is one question with all the chunks that it was scored with, since a server's scores may depend on what else stands in the
request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from embft.retrieval.candidates import Candidates, Reranker, Scores
from embft.sqlite_file import SqliteFile
from embft.sqlite_rows import Table, checksum


def _is_whole(row: Sequence[Any]) -> bool:
    key, blob, check = row
    if not isinstance(key, bytes) or not isinstance(blob, bytes) or not blob or len(blob) % 4:
        return False
    return bool(check == checksum(key, blob))


_TABLE = Table(
    "scores", {"key": "BLOB PRIMARY KEY", "scores": "BLOB NOT NULL", "checksum": "INTEGER"}, _is_whole, "bytes"
)


_NONE: Scores = np.zeros(0, np.float32)
"""Of a question for which the first search found nothing: no reranker is asked about that."""


def scores_now(reranker: Reranker, candidates: Sequence[Candidates]) -> list[Scores]:
    """The same as `ScoreCache.scores`, and nothing is stored: for questions that people ask."""
    asked = [place for place, one in enumerate(candidates) if one.chunk_ids]
    made = [_NONE] * len(candidates)
    if asked:
        for place, scores in reranker.scores([candidates[at] for at in asked]):
            made[asked[place]] = scores
    return made


class ScoreCache:
    """A sqlite table of float32 blobs.

    Args:
        path: The file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, [_TABLE], "scores")

    def scores(self, reranker: Reranker, candidates: Sequence[Candidates]) -> list[Scores]:
        """Float32 [n_texts] for each of ``candidates``; the reranker is asked for what is not there yet.

        Each answer is stored as it comes: a kill loses what was under way.
        """
        keys = [_key(reranker.identity, one) for one in candidates]
        known = {
            key: scores
            for key, one in zip(keys, candidates, strict=True)
            if (scores := self._get(key, one) if one.chunk_ids else _NONE) is not None
        }
        missing = {key: one for key, one in zip(keys, candidates, strict=True) if key not in known}
        order = list(missing)
        for place, scores in self._fresh(reranker, list(missing.values())):
            self._put(order[place], scores)
            known[order[place]] = scores
        return [known[key] for key in keys]

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def _fresh(self, reranker: Reranker, candidates: Sequence[Candidates]) -> Iterator[tuple[int, Scores]]:
        if candidates:
            yield from reranker.scores(candidates)

    def _get(self, key: bytes, candidates: Candidates) -> Scores | None:
        query = "SELECT key, scores, checksum FROM scores WHERE key = ?"
        row = self._file.use(lambda connection: connection.execute(query, (key,)).fetchone())
        if row is None or not _is_whole(row):
            return None
        scores = np.frombuffer(row[1], "<f4")
        return scores if len(scores) == len(candidates.texts) and np.isfinite(scores).all() else None

    def _put(self, key: bytes, scores: Scores) -> None:
        blob = np.asarray(scores, "<f4").tobytes()
        row = (key, blob, checksum(key, blob))
        self._file.use(lambda connection: connection.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?)", row))


def _key(identity: str, candidates: Candidates) -> bytes:
    content = json.dumps([identity, candidates.question, *candidates.texts], ensure_ascii=True)
    return hashlib.sha256(content.encode()).digest()[:16]

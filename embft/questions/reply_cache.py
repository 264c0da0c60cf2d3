"""Replies of LLMs on disk, under the hash of the exact request: nothing is paid twice, a kill loses nothing."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any


class ReplyCache:
    """A sqlite table of JSON; several processes may use it at once.

    Args:
        path: The file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, request TEXT, reply TEXT NOT NULL)"
            )

    @staticmethod
    def key(request: Mapping[str, Any]) -> str:
        """Hash of a request; the order of its keys does not matter. A request never holds an API key."""
        return hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def get(self, key: str) -> dict[str, Any] | None:
        """The stored reply, or None."""
        with closing(self._connect()) as connection:
            row = connection.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, key: str, request: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        """Stores a reply; on disk when this returns. The first one stored stays."""
        with closing(self._connect()) as connection:
            connection.execute(
                "INSERT OR IGNORE INTO replies VALUES (?, ?, ?)",
                (key, json.dumps(request, ensure_ascii=False), json.dumps(reply, ensure_ascii=False)),
            )

    def means(self, model: str) -> tuple[float | None, float | None]:
        """Seconds and tokens of a model's replies so far, on average; None where there are none."""
        with closing(self._connect()) as connection:
            seconds, tokens = connection.execute(
                "SELECT avg(json_extract(reply, '$.seconds')), avg(json_extract(reply, '$.completion_tokens')) "
                "FROM replies WHERE json_extract(request, '$.model') = ?",
                (model,),
            ).fetchone()
        return seconds, tokens

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60, isolation_level=None)

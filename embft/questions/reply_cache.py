"""Replies of LLMs on disk, under the hash of the exact request: nothing is paid twice, a kill loses nothing."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from embft.questions.chat_reply import text_fault
from embft.services.body import JsonObject, parse_json


class ReplyCache:
    """A sqlite table of JSON; several processes may use it at once.

    Args:
        path: The file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._opened().execute(
            "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, request TEXT, reply TEXT NOT NULL)"
        )

    @staticmethod
    def key(request: JsonObject) -> str:
        """Hash of a request; the order of its keys does not matter. A request never holds an API key."""
        return hashlib.sha256(
            json.dumps(request, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
        ).hexdigest()

    def get(self, key: str) -> dict[str, Any] | None:
        """The stored reply, or None; also where an older version stored what is no usable reply: it is asked for again."""
        row = self._opened().execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        try:
            reply = None if row is None else parse_json(row[0])
        except (ValueError, TypeError):
            return None
        usable = isinstance(reply, dict) and text_fault(reply.get("text")) is None
        return reply if usable else None

    def put(self, key: str, request: JsonObject, reply: JsonObject) -> None:
        """Stores a usable reply: no kill takes it away once this returns. The first one stored stays."""
        if (fault := text_fault(reply.get("text"))) is not None:
            raise ValueError(f"not to be stored: {fault}")
        if self.get(key) is None:
            self._opened().execute(
                "INSERT OR REPLACE INTO replies VALUES (?, ?, ?)",
                # Halves of a character, which a prompt made of a PDF's text can hold, go as escapes.
                (key, _json(request), _json(reply)),
            )

    def means(self, model: str) -> tuple[float | None, float | None]:
        """Seconds and tokens of a model's replies so far, on average; None where there are none."""
        seconds, tokens = (
            self._opened()
            .execute(
                "SELECT avg(json_extract(reply, '$.seconds')), avg(json_extract(reply, '$.completion_tokens')) "
                "FROM replies WHERE json_valid(request) AND json_valid(reply) AND json_extract(request, '$.model') = ? "
                "AND json_extract(reply, '$.completion_tokens') BETWEEN 0 AND 2000000",
                (model,),
            )
            .fetchone()
        )
        return seconds, tokens

    def _opened(self) -> sqlite3.Connection:
        """The connection; a new one in a process that was forked, for sqlite's must not cross over."""
        if self._connection is None or self._process != os.getpid():
            self._connection = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
            self._process = os.getpid()
            self._connection.execute("PRAGMA journal_mode=WAL")
            # Written on to the system at once, to the disk in its own time: a killed process loses nothing, a power cut
            # may cost the last few replies, and never the file. Waiting for the disk took 13 ms a reply, in which nothing
            # else could be asked.
            self._connection.execute("PRAGMA synchronous=NORMAL")
        return self._connection


def _json(value: JsonObject) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isascii() or _is_whole(text) else json.dumps(value)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

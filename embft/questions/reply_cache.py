"""Replies of LLMs on disk, under the hash of the exact request: nothing is paid twice, a kill loses nothing."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embft.foreign_json import parse_json
from embft.questions.chat_reply import text_fault
from embft.services.body import JsonObject
from embft.sqlite_file import SqliteFile
from embft.sqlite_rows import Table, checksum

logger = logging.getLogger(__name__)


def _is_whole_row(row: Sequence[Any]) -> bool:
    key, request, reply, check = row
    texts = isinstance(key, str) and isinstance(reply, str) and (request is None or isinstance(request, str))
    return texts and check in (None, checksum(key, reply))


_TABLE = Table(
    "replies",
    {"key": "TEXT PRIMARY KEY", "request": "TEXT", "reply": "TEXT NOT NULL", "checksum": "INTEGER"},
    _is_whole_row,
    "rowid",
)


class ReplyCache:
    """A sqlite table of JSON; several processes may use it at once. A damaged file is replaced, and what it holds rescued.

    Args:
        path: The file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, [_TABLE], "replies")
        self._warned = False
        self._file.use(lambda connection: None)

    @staticmethod
    def key(request: JsonObject) -> str:
        """Hash of a request; the order of its keys does not matter. A request never holds an API key."""
        return hashlib.sha256(
            json.dumps(request, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
        ).hexdigest()

    def get(self, key: str) -> dict[str, Any] | None:
        """The stored reply, or None; also where what is stored is damaged or no usable reply: it is asked for again."""
        query = "SELECT key, request, reply, checksum FROM replies WHERE key = ?"
        row = self._file.use(lambda connection: connection.execute(query, (key,)).fetchone())
        if row is None:
            return None
        try:
            reply = parse_json(row[2]) if _is_whole_row(row) else None
        except (ValueError, TypeError):
            reply = None
        if isinstance(reply, dict) and text_fault(reply.get("text")) is None:
            return reply
        if not self._warned:
            self._warned = True
            logger.warning(
                "%s holds replies that are damaged or cannot be used: they are asked for again.", self._file.path
            )
        return None

    def put(self, key: str, request: JsonObject, reply: JsonObject) -> None:
        """Stores a usable reply: no kill takes it away once this returns. The first one stored stays."""
        if (fault := text_fault(reply.get("text"))) is not None:
            raise ValueError(f"not to be stored: {fault}")
        if self.get(key) is None:
            # Halves of a character, which a prompt made of a PDF's text can hold, go as escapes.
            text = _json(reply)
            row = (key, _json(request), text, checksum(key, text))
            self._file.use(
                lambda connection: connection.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)", row)
            )

    def means(self, model: str) -> tuple[float | None, float | None]:
        """Seconds and tokens of a model's replies so far, on average; None where there are none."""
        query = (
            "SELECT avg(json_extract(reply, '$.seconds')), avg(json_extract(reply, '$.completion_tokens')) "
            "FROM replies WHERE json_valid(request) AND json_valid(reply) AND json_extract(request, '$.model') = ? "
            "AND json_extract(reply, '$.completion_tokens') BETWEEN 0 AND 2000000"
        )
        seconds, tokens = self._file.use(lambda connection: connection.execute(query, (model,)).fetchone())
        return seconds, tokens


def _json(value: JsonObject) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isascii() or _is_whole(text) else json.dumps(value)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

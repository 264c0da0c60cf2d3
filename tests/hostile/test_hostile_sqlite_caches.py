"""Damaged files of replies, and of an older version's vectors: what comes out is that of a clean cache, with a warning that
names the file.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cache_damage import Case, Damage, become_dead_link, become_folder, beside, cut, overwrite, put, sql

from embft.questions.reply_cache import ReplyCache
from embft.retrieval.old_vectors import _LENGTHS, _VECTORS
from embft.retrieval.vector_cache import VectorCache
from embft.retrieval.vector_files import keys_of
from embft.sqlite_file import SqliteFile
from embft.sqlite_rows import checksum

TEXTS = [f"text {number}" for number in range(300)]
SQLITE: list[tuple[str, Damage, int | None]] = [
    ("not a database", put(b"<html>502 Bad Gateway</html>" * 99), None),
    ("zero bytes", put(b""), None),
    ("zeros of the same size", lambda path: path.write_bytes(bytes(path.stat().st_size)), None),
    ("half of it", cut(0.5), None),
    ("all but its end", cut(0.95), None),
    ("its header alone", lambda path: os.truncate(path, 100), None),
    ("an odd size", lambda path: os.truncate(path, path.stat().st_size - 1000), None),
    ("header of zeros", overwrite(0, bytes(16)), 0),
    ("header of another file", overwrite(0, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), 0),
    ("first page of zeros", overwrite(0, bytes(4096)), None),
    ("a page of zeros", overwrite(0.5, bytes(4096)), 300),
    ("a page of noise", overwrite(0.7, bytes(range(1, 256)) * 16), 300),
    ("two pages of noise", lambda path: [overwrite(at, b"\xa5" * 4096)(path) for at in (0.3, 0.8)], 350),
    ("a line of a page lost", overwrite(0.6, b"\r\n" * 40), 300),
    ("read-only by its header", lambda path: overwrite(0, b"SQLite format 3\0\x10\0\x03")(path), 0),
    ("a folder in its place", become_folder, None),
    ("a dead link in its place", become_dead_link, None),
    ("a folder for its log", beside("-wal", Path.mkdir), 0),
    ("a log of noise", beside("-wal", put(b"\x37\x7f\x06\x82" + b"x" * 5000)), 0),
    ("a folder for its index", beside("-shm", Path.mkdir), 0),
    ("a folder for the new one", lambda path: [path.with_name(f".{path.name}.rescued").mkdir(), cut(0.6)(path)], None),
]  # fmt: skip
VECTORS: list[tuple[str, Damage, int | None]] = [
    ("another table of that name", sql("DROP TABLE vectors", "CREATE TABLE vectors (id INTEGER, name TEXT)"), None),
    ("a view of that name", sql("DROP TABLE vectors", "CREATE VIEW vectors AS SELECT 1 AS key"), None),
    ("no table", sql("DROP TABLE vectors"), None),
    ("text for a vector", sql("UPDATE vectors SET vector = 'text' WHERE key < x'40'"), 200),
    ("a short vector", sql("UPDATE vectors SET vector = substr(vector, 1, 8) WHERE key < x'40'"), 200),
    ("a changed vector", sql("UPDATE vectors SET vector = x'0000803f0000803f0000803f' WHERE key < x'40'"), 200),
    ("another length", sql("UPDATE lengths SET length = 7"), 400),
    ("a length of text", sql("UPDATE lengths SET length = 'seven'"), 0),
]
REPLIES: list[tuple[str, Damage, int | None]] = [
    ("another table of that name", sql("DROP TABLE replies", "CREATE TABLE replies (id INTEGER, name TEXT)"), None),
    ("one more column", sql("ALTER TABLE replies ADD COLUMN rating INTEGER"), 0),
    ("no table", sql("DROP TABLE replies"), None),
    ("bytes that are no text", sql("UPDATE replies SET reply = CAST(x'7b22fffe' AS TEXT) WHERE rowid < 50"), 49),
    ("a number for a reply", sql("UPDATE replies SET reply = 17 WHERE rowid < 50"), 49),
    ("half a reply", sql("UPDATE replies SET reply = substr(reply, 1, 9) WHERE rowid < 50"), 49),
    ("a changed reply", sql("UPDATE replies SET reply = replace(reply, 'Why', 'Who') WHERE rowid < 50"), 49),
]  # fmt: skip
CASES = [
    *(Case("vectors", *row) for row in [*SQLITE, *VECTORS]),
    *(Case("replies", *row) for row in [*SQLITE, *REPLIES]),
]
SILENT = {
    "zero bytes", "no table", "a log of noise", "a dead link in its place", "read-only by its header",
    "a folder for its index",
}  # fmt: skip
"""What sqlite itself takes for an empty database, or passes over: nothing is damaged that could be named."""


def embed(path: Path) -> tuple[np.ndarray, int]:
    """All vectors, and how many had to be made; ``path`` is an older version's file, of which the new one is filled."""
    made: list[str] = []

    def encode(texts: Any) -> Any:
        made.extend(texts)
        return np.array([[len(text), 1 + int(text.split()[1]), *[2] * 30] for text in texts], np.float32)

    vectors = VectorCache(path.with_suffix("")).encode("m", "", TEXTS, encode)
    if not path.exists() and not os.path.lexists(path) and len(made) == len(TEXTS):
        write_older(path, vectors)
    return vectors, len(made)


def write_older(path: Path, vectors: np.ndarray) -> None:
    keys, model = [key.tobytes() for key in keys_of("m", "", TEXTS)], ("m", 32, checksum("m", "32"))
    rows = [(key, row.tobytes(), checksum(key, row.tobytes())) for key, row in zip(keys, vectors, strict=True)]
    with closing(SqliteFile(path, [_VECTORS, _LENGTHS], "vectors")) as file:
        file.use(lambda connection: connection.execute("INSERT INTO lengths VALUES (?, ?, ?)", model))
        file.use(lambda connection: connection.executemany("INSERT INTO vectors VALUES (?, ?, ?)", rows))


def ask(path: Path) -> tuple[list[Any], int]:
    """All replies, and how many had to be paid for."""
    cache, replies, paid = ReplyCache(path), [], 0
    for text in TEXTS:
        request = {"model": "m", "messages": [{"role": "user", "content": text}]}
        key = ReplyCache.key(request)
        if cache.get(key) is None:
            paid += 1
            cache.put(key, request, {"text": f"Why is it {text}?" + "." * 200, "completion_tokens": 7, "seconds": 1.0})
        replies.append(cache.get(key))
    cache.means("m")
    cache._file.close()
    return replies, paid


MAKE: dict[str, Callable[[Path], tuple[Any, int]]] = {"vectors": embed, "replies": ask}


@pytest.fixture(scope="module", params=sorted(MAKE))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Any]:
    path = tmp_path_factory.mktemp("clean") / f"{request.param}.sqlite"
    value, count = MAKE[request.param](path)
    assert count == len(TEXTS)
    return request.param, path, value


@pytest.mark.parametrize("name", list(dict.fromkeys(case.name for case in CASES)))
def test_a_damaged_sqlite_file_costs_no_more_than_what_cannot_be_read(
    made: tuple[str, Path, Any], name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kind, clean, expected = made
    case = next((one for one in CASES if (one.kind, one.name) == (kind, name)), None)
    if case is None:
        return  # a case of the other kind
    path = tmp_path / clean.name
    shutil.copy(clean, path)
    case.damage(path)
    value, count = MAKE[kind](path)
    assert np.array_equal(value, expected) if kind == "vectors" else value == expected
    assert count <= (len(TEXTS) if case.lost is None else case.lost)
    if name not in SILENT:
        assert path.name in caplog.text
    caplog.clear()
    again, count = MAKE[kind](path)
    assert np.array_equal(again, expected) if kind == "vectors" else again == expected
    assert (count, caplog.text) == (0, "")


def test_a_file_that_another_process_locks_for_ever_is_set_aside_and_its_rows_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embft.sqlite_file.WAIT_SECONDS", 0.1)
    monkeypatch.setattr("embft.sqlite_file._LOOK_SECONDS", 0.1)
    path = tmp_path / "replies.sqlite"
    expected, _ = ask(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert ask(path) == (expected, 0)
    assert "replies.sqlite" in caplog.text
    assert ask(path) == (expected, 0)


def test_a_file_that_cannot_be_written_is_replaced_by_one_that_can(tmp_path: Path, caplog: Any) -> None:
    path = tmp_path / "replies.sqlite"
    expected, _ = ask(path)
    overwrite(0, b"SQLite format 3\0\x10\0\x03")(path)
    ReplyCache(path).put("new", {}, {"text": "A new one?"})
    assert "replies.sqlite" in caplog.text
    assert ReplyCache(path).get("new") is not None
    assert ask(path) == (expected, 0)

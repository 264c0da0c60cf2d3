"""The rows of a sqlite file: which ones it should hold, and those that can still be read where it is damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.damaged import remove

BESIDE = ("-wal", "-shm", "-journal")
"""Endings of the files that sqlite keeps beside its own."""
_PREFIX_BYTES = 3
_MOST_ROWS = 1 << 32
_MOST_FAILURES = 4000
"""Unreadable ranges of keys after which no more are tried."""
_MAGIC = b"SQLite format 3\0"
_HEADER = _MAGIC + bytes([0x10, 0x00, 1, 1, 0, 64, 32, 32])
"""The first bytes of a file with pages of 4,096 bytes, as embft's are."""


@dataclass(frozen=True)
class Table:
    """A table, and which of its rows are worth saving.

    Attributes:
        name: Its name.
        columns: Name to type and constraints; the primary key comes first.
        is_whole: Whether a row, with its values in that order, is what was written.
        keys: ``rowid``, or of a table without: ``bytes`` for keys that are bytes, ``text``.
    """

    name: str
    columns: Mapping[str, str]
    is_whole: Callable[[Sequence[Any]], bool]
    keys: str

    @property
    def definition(self) -> str:
        """The statement that makes it."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({columns})" + (
            "" if self.keys == "rowid" else " WITHOUT ROWID"
        )


def checksum(*parts: str | bytes) -> int:
    """CRC-32 of a row's values: what tells a row that was written from one that a disk made of it."""
    total = 0
    for part in parts:
        total = zlib.crc32(
            b"\0", zlib.crc32(part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part, total)
        )
    return total


def text_or_bytes(value: bytes) -> str | bytes:
    """Text as it is; bytes that are no UTF-8 stay bytes, which no reader takes for a text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def rescue(source: Path, new: sqlite3.Connection, tables: Sequence[Table]) -> None:
    """Copies the whole rows of a damaged file, opened as it is, else a copy of it, else a copy without what lies beside."""
    if not source.is_file():
        return
    with suppress(OSError):
        source.chmod(source.stat().st_mode | stat.S_IRUSR)
    if _copy_rows(source, new, tables):
        return
    copy = source.with_name(f".{source.name}.{os.getpid()}.copy")
    try:
        for with_log in (True, False):
            _copy_file(source, copy, with_log)
            if _copy_rows(copy, new, tables):
                return
    except OSError:
        return  # it cannot be read at all
    finally:
        for path in (copy, *(copy.with_name(copy.name + end) for end in BESIDE)):
            remove(path)


def _copy_file(source: Path, copy: Path, with_log: bool) -> None:
    """Copies a file, with a first line as it should be."""
    for end in ("", *BESIDE):
        remove(copy.with_name(copy.name + end))
    shutil.copyfile(source, copy)
    log = source.with_name(f"{source.name}-wal")
    if with_log and log.is_file():
        shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
    with copy.open("r+b") as file:
        begin = file.read(len(_HEADER))
        if not begin.startswith(_MAGIC) or begin[-3:] != _HEADER[-3:]:
            file.seek(0)
            file.write(_HEADER)


def _copy_rows(source: Path, new: sqlite3.Connection, tables: Sequence[Table]) -> int:
    """Copies what can be read; returns how many rows."""
    before = new.total_changes
    try:
        with closing(sqlite3.connect(source, timeout=0.0, isolation_level=None)) as old:
            old.text_factory = text_or_bytes
            for table in tables:
                marks = ",".join("?" * len(table.columns))
                new.execute("BEGIN")
                whole = (row for row in _rows(old, table) if table.is_whole(row))
                new.executemany(f"INSERT OR IGNORE INTO {table.name} VALUES ({marks})", whole)
                new.execute("COMMIT")
    except sqlite3.Error:
        if new.in_transaction:
            new.execute("COMMIT")
    return new.total_changes - before


def _rows(old: sqlite3.Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """The rows that can be read: a range of keys with a damaged page is cut in two, until only the page itself is left out."""
    try:
        there = {str(row[1]) for row in old.execute(f"PRAGMA table_info({table.name})")}
        if not {name for name, kind in table.columns.items() if "NOT NULL" in kind or "KEY" in kind} <= there:
            return
    except sqlite3.Error:
        return
    chosen = ", ".join(name if name in there else "NULL" for name in table.columns)
    select = f"SELECT {chosen} FROM {table.name}"
    if table.keys == "text":
        with suppress(sqlite3.Error):
            yield from old.execute(select)
        return
    key = "rowid" if table.keys == "rowid" else next(iter(table.columns))
    ranges = deque([(0, _MOST_ROWS if table.keys == "rowid" else 1 << 8 * _PREFIX_BYTES)])
    failures = 0
    while ranges and failures < _MOST_FAILURES:
        low, high = ranges.popleft()
        condition, bounds = f"{key} >= ?", [_bound(low, table.keys)]
        if table.keys == "rowid" or high < 1 << 8 * _PREFIX_BYTES:
            condition, bounds = f"{condition} AND {key} < ?", [*bounds, _bound(high, table.keys)]
        try:
            yield from old.execute(f"{select} WHERE {condition}", bounds)
        except sqlite3.Error:
            failures += 1
            if high - low > 1:
                middle = (low + high) // 2
                ranges += [(low, middle), (middle, high)]
            else:
                yield from _one_by_one(old, f"{select} WHERE {condition} AND {key} > ?", key, bounds)


def _one_by_one(old: sqlite3.Connection, query: str, key: str, bounds: list[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows up to one that cannot be read; a cursor that looked ahead would lose the one before it."""
    last: Any = -1 if key == "rowid" else b""
    with suppress(sqlite3.Error):
        while row := old.execute(f"{query} ORDER BY {key} LIMIT 1", [*bounds, last]).fetchone():
            yield row
            if key == "rowid":
                return
            last = row[0]


def _bound(number: int, keys: str) -> int | bytes:
    return number if keys == "rowid" else number.to_bytes(_PREFIX_BYTES, "big")
